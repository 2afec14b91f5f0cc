//! `--target`: any HTTP service instead of a lab, and the rules that keep it from being aimed at somebody else's.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use app::wire::address::shown;
use app::wire::auth::ControlToken;
use app::wire::control_client::ControlClient;
use scenarios::{LoadKind, Scenario, Warm};
use strategies::units::{RATE, duration_text, rate_text};

use super::target_asks;
use crate::cli::RunArgs;
#[cfg(feature = "labs")]
use crate::cli::trust::tls_client;
use crate::load::drive::{Asks, KEY, Site};
use crate::shell::exit::Failure;

/// Requests a second at most to a target that is not loopback, unless `--max-rate` says otherwise.
const MAX_RATE_PER_S: f64 = 1_000.0;

/// A target.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it is called.
    pub name: String,
    /// Who is asked, in turns.
    pub sites: Vec<Arc<Site>>,
    /// The URLs as they may be shown.
    pub urls: Vec<String>,
    /// Control of the origin behind it: base URL and token.
    pub origin: Option<(String, ControlToken)>,
    /// Requests a second that it may be asked at most, where there is a bound.
    pub max_per_s: Option<f64>,
}

impl Target {
    /// The target of a command line, if it names one.
    ///
    /// # Errors
    /// [`Failure`] for what is no URL, resolves to nothing, is not loopback without leave, or would be asked too fast.
    pub fn of(args: &RunArgs, scenario: &Scenario) -> Result<Option<Self>, Failure> {
        if args.target.is_empty() {
            return Ok(None);
        }
        let asks = target_asks::asks(&args.asked)?;
        let mut sites = Vec::new();
        let mut abroad = false;
        for url in &args.target {
            let site = asked_so(url, args, &asks)?;
            abroad |= !site.is_loopback();
            sites.push(Arc::new(site));
        }
        check_tls(args)?;
        let max_per_s = max_rate(args, abroad)?;
        check_rate(args, scenario, max_per_s)?;
        check_warm(args, scenario, max_per_s)?;
        if scenario.load.retry.is_some() {
            return Err(Failure::usage(
                "retries of a target · [load.retry] with --target · found retries, which would make more requests than the \
                 rate says, allowed none · use a scenario without [load.retry]",
            ));
        }
        if scenario.writes.is_some() {
            return Err(Failure::usage(
                "writes to a target · [writes] with --target · found writes, and only the lab's origin keeps a ledger of writes to tell \
                 what is stale by · use a scenario without [writes]; of a trace, --set load.ops=reads replays its reads alone",
            ));
        }
        if scenario.load.batch > 1 {
            return Err(Failure::usage(format!(
                "several items of a target · load.batch = {} with --target · found more than 1, and how somebody else's service is asked for \
                 several nobody here knows · write {KEY} where its page's number goes, and --set load.batch=1",
                scenario.load.batch
            )));
        }
        if scenario.counting.is_some() {
            return Err(Failure::usage(
                "counters of a target · kind = \"count\" with --target · found a load that counts, and only the lab's replicas say what \
                 they counted · use a scenario that reads",
            ));
        }
        if let Some(url) = args.target.iter().find(|url| !url.contains(KEY)) {
            return Err(Failure::usage(format!(
                "a target that is asked for the same thing every time · --target {} · found no {KEY} in it, needed one at \
                 least · write {KEY} where the item's number goes: http://HOST:PORT/path/{KEY}",
                shown(url)
            )));
        }
        let urls = args.target.iter().map(|url| shown(url)).collect();
        let name = target_asks::name(args.asked.target_name.as_deref())?;
        Ok(Some(Self { name, sites, urls, origin: origin(args)?, max_per_s }))
    }

    /// What is known of the origin behind it: `service` where the scenario sets that.
    #[must_use]
    pub fn origin_in_words(&self, foreign: bool, service: String) -> String {
        match &self.origin {
            None => "origin not ours: its reads are not known".to_owned(),
            Some(_) if foreign => "origin counted by a proxy, its places and service time its own".to_owned(),
            Some(_) => service,
        }
    }

    /// The control of the origin behind it.
    #[must_use]
    pub fn origin_client(&self) -> Option<ControlClient> {
        self.origin.as_ref().map(|(base, token)| ControlClient::new(base, Some(token.clone())))
    }
}

/// The server that a URL names.
///
/// # Errors
/// [`Failure`] where it is no URL, or not loopback and not `owned`.
pub fn site(url: &str, flag: &str, owned: bool) -> Result<Site, Failure> {
    let url_of = Url::of(url, flag, owned)?;
    if url_of.encrypted {
        return Err(Failure::usage(format!(
            "not a URL that can be driven · {flag} {} · found https, allowed http only · put a plain listener beside the TLS one",
            shown(url)
        )));
    }
    at(url, flag, url_of)
}

fn at(url: &str, flag: &str, Url { host, addresses, path, .. }: Url) -> Result<Site, Failure> {
    Site::foreign(addresses, &host, &path).ok_or_else(|| {
        let advice = "percent-encode what is no URL character";
        Failure::usage(format!(
            "a URL that can't be sent · {flag} {} · found what no request line takes · {advice}",
            shown(url)
        ))
    })
}

/// A target, asked as the command line says.
fn asked_so(url: &str, args: &RunArgs, asks: &Asks) -> Result<Site, Failure> {
    let found = Url::of(url, "--target", args.i_own_this_target)?;
    #[cfg(feature = "labs")]
    let asks = match found.encrypted {
        true => Asks {
            tls: Some((
                tls_client("target", args.asked.target_ca.as_ref(), args.asked.target_insecure)?,
                found.name.clone(),
            )),
            ..asks.clone()
        },
        false => asks.clone(),
    };
    #[cfg(not(feature = "labs"))]
    let asks = asks.clone();
    Ok(at(url, "--target", found)?.asking(asks))
}

/// Options of TLS beside targets without it.
fn check_tls(args: &RunArgs) -> Result<(), Failure> {
    let flag = match &args.asked {
        asked if asked.target_insecure => "--target-insecure",
        asked if asked.target_ca.is_some() => "--target-ca",
        _ => return Ok(()),
    };
    if args.target.iter().any(|url| url.starts_with("https://")) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "no TLS without https:// · {flag} · found no target with it · write https://, or leave it out"
    )))
}

/// Requests a second at most: as typed, or what a target that is not loopback is spared.
fn max_rate(args: &RunArgs, abroad: bool) -> Result<Option<f64>, Failure> {
    let given = args.max_rate.as_deref().map(|text| {
        let flaw =
            |_| Failure::usage(format!("no rate · --max-rate · found {text:?}, allowed {} · write 500/s", RATE.words));
        (RATE.read)(text).map_err(flaw)
    });
    Ok(given.transpose()?.or(abroad.then_some(MAX_RATE_PER_S)))
}

/// An open loop's highest rate, or a closed loop's bound: the most clients ÷ mean think time, as if answers took no time.
fn check_rate(args: &RunArgs, scenario: &Scenario, max: Option<f64>) -> Result<(), Failure> {
    let Some(max) = max else { return Ok(()) };
    let rate = match &scenario.load.kind {
        LoadKind::Open { rate_per_s, ramps, .. } => {
            ramps.iter().fold(*rate_per_s, |most, ramp| most.max(ramp.to_per_s))
        }
        LoadKind::Trace(trace) => trace.found.peak_per_s as f64,
        kind @ LoadKind::Closed { clients, think, .. } => {
            f64::from(kind.clients_max().unwrap_or(*clients)) / think.mean().as_secs_f64()
        }
    };
    if rate <= max {
        return Ok(());
    }
    let found = if rate.is_finite() { rate_text(rate) } else { "clients that never pause".into() };
    let what = if args.max_rate.is_some() { "for --max-rate" } else { "for a target that is not loopback" };
    Err(Failure::usage(format!(
        "a load that is too fast {what} · --target · found up to {found}, allowed {} · lower the load (-r, -c, load.think), \
         or raise --max-rate where the target can take it",
        rate_text(max)
    )))
}

/// `[warm]` of a target: its items are asked for, so their entries begin their lives then, and the first must not have ended before the
/// last is asked for.
fn check_warm(args: &RunArgs, scenario: &Scenario, max: Option<f64>) -> Result<(), Failure> {
    if scenario.warm == Some(Warm::BurstAged) {
        return Err(Failure::usage(
            "entries of all ages, which a target can't be given · [warm] with --target · found ages = \"even\", and an item that a service is asked \
             for has an entry that is new · use ages = \"new\", or a scenario with a warm-up",
        ));
    }
    let (Some(_), Some(max)) = (scenario.warm, max) else { return Ok(()) };
    let (items, sites, ttl) = (scenario.keys.ranks(), args.target.len(), scenario.ttl_min());
    let takes_s = f64::from(items) * sites as f64 / max;
    if takes_s <= ttl.as_secs_f64() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "a cache that takes too long to warm · [warm] with --target · found {items} items of {sites} targets at {}: {takes_s:.1} s, allowed {} \
         (cache.ttl) · raise --max-rate where the target can take it, raise cache.ttl, lower keys.n, or use a scenario without [warm]",
        rate_text(max),
        duration_text(ttl)
    )))
}

fn origin(args: &RunArgs) -> Result<Option<(String, ControlToken)>, Failure> {
    let (Some(base), Some(file)) = (&args.origin_control, &args.origin_token_file) else { return Ok(None) };
    site(base, "--origin-control", args.i_own_this_target)?;
    Ok(Some((base.clone(), token(file)?)))
}

fn token(file: &Path) -> Result<ControlToken, Failure> {
    let flaw = |why: String| {
        let advice = "give the file that the origin was started with";
        Failure::usage(format!("no token · --origin-token-file {} · {why} · {advice}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|e| flaw(e.to_string()))?;
    ControlToken::given(&text).map_err(flaw)
}

/// The parts of a URL that are needed to ask it.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    /// The `Host` header: as typed.
    host: String,
    /// What it resolves to, in the resolver's order; these and nothing else are connected to.
    addresses: Vec<SocketAddr>,
    path: String,
    /// Whether it is to be asked over TLS.
    encrypted: bool,
    /// The host's name or address alone.
    name: String,
}

impl Url {
    fn of(url: &str, flag: &str, owned: bool) -> Result<Self, Failure> {
        let flaw = |found: &str, advice: &str| {
            let url = shown(url);
            Failure::usage(format!("not a URL that can be driven · {flag} {url} · {found} · {advice}"))
        };
        let example = "write http://HOST:PORT/path/{key}";
        let (encrypted, rest) = scheme(url).map_err(|found| flaw(&found, example))?;
        let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if host.contains('@') {
            return Err(flaw("found a user or password in it", "leave it out: it would end in logs and records"));
        }
        if host.contains(['{', '}']) {
            return Err(flaw("found braces in the host", example));
        }
        // Braces that are left where the keys were must be no other place that somebody meant for them. Only those of the path
        // are shown: a query may hold a secret.
        let left = path.replace(KEY, "");
        if let Some(at) = left.find(['{', '}']) {
            let word: String = left[at..].chars().take_while(|c| !"/?&=".contains(*c)).take(20).collect();
            let word = if left[..at].contains('?') { "other braces".to_owned() } else { format!("{word:?}") };
            return Err(flaw(
                &format!("found {word}, allowed {KEY} as it stands here"),
                "write {key} where the item's number goes, and %7B and %7D for braces that are meant",
            ));
        }
        if path.contains('#') {
            return Err(flaw("found a fragment (#…)", "leave it out: a server never sees it"));
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(if encrypted { 443 } else { 80 })),
        };
        let port: u16 = port.ok_or_else(|| flaw("found a port that is no number up to 65535", example))?;
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let resolved = (bare, port).to_socket_addrs();
        let resolved = resolved.map_err(|e| flaw(&format!("{bare:?} can't be resolved: {e}"), "check the name"))?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        resolved.for_each(|address| {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        });
        if addresses.is_empty() {
            return Err(flaw("found no address for it", "check the name"));
        }
        if let Some(abroad) = addresses.iter().find(|address| !address.ip().is_loopback() && !owned) {
            return Err(Failure::usage(format!(
                "a target that is not loopback · {flag} {} · found {}, allowed 127.0.0.0/8 and ::1 · this is a load \
                 generator: if the target is yours to load, add --i-own-this-target",
                shown(url),
                abroad.ip()
            )));
        }
        Ok(Self { host: host.to_owned(), addresses, path, encrypted, name: bare.to_owned() })
    }
}

/// Whether a URL asks for TLS, and what follows its scheme; or what was found instead.
fn scheme(url: &str) -> Result<(bool, &str), String> {
    match url.split_once("://") {
        Some(("http", rest)) => Ok((false, rest)),
        Some(("https", rest)) => Ok((true, rest)),
        Some((scheme, _)) => Err(format!("found scheme {scheme:?}, allowed http and https")),
        None => Err("found no scheme, allowed http:// and https://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (url, host, address, path) in [
            ("http://127.0.0.1:8081/items/{key}", "127.0.0.1:8081", "127.0.0.1:8081", "/items/{key}"),
            ("http://127.0.0.1", "127.0.0.1", "127.0.0.1:80", "/"),
            ("http://localhost:1?k={key}", "localhost:1", "127.0.0.1:1", "/?k={key}"),
            ("http://[::1]:9/a", "[::1]:9", "[::1]:9", "/a"),
            ("http://[::1]/a", "[::1]", "[::1]:80", "/a"),
            ("https://127.0.0.1/a", "127.0.0.1", "127.0.0.1:443", "/a"),
        ] {
            let url = Url::of(url, "--target", false).unwrap_or_else(|e| panic!("{url}: {e}"));
            // A name of this machine may have an IPv6 address, too.
            assert!(url.addresses.contains(&address.parse().unwrap()), "{:?}", url.addresses);
            assert_eq!((url.host.as_str(), url.path.as_str()), (host, path));
        }
    }

    #[test]
    fn what_is_no_url_or_nobody_s_own_is_refused() {
        for (url, said) in [
            ("127.0.0.1:80", "found no scheme"),
            ("ftp://localhost/", "found scheme \"ftp\""),
            ("http://me:secret@127.0.0.1/", "found a user or password"),
            ("http://127.0.0.1:99999/", "found a port"),
            ("http://127.0.0.1/#x", "found a fragment"),
            ("http:///x", "can't be resolved"),
            ("http://no-such-host.invalid/", "can't be resolved"),
            ("http://192.0.2.1/", "add --i-own-this-target"),
            ("http://127.0.0.1/{KEY}", "found \"{KEY}\", allowed {key} as it stands here"),
            ("http://127.0.0.1/{key}/{id}?x=1", "found \"{id}\""),
            ("http://127.0.0.1/{ key }", "found \"{ key }\""),
            ("http://127.0.0.1/{{key}}", "found \"{}\""),
            ("http://127.0.0.1/?k={key", "found other braces"),
            ("http://{key}.localhost/{key}", "found braces in the host"),
        ] {
            let text = Url::of(url, "--target", false).unwrap_err().text;
            assert!(text.contains(said) && !text.contains("secret"), "{url}: {text}");
        }
        assert!(Url::of("http://192.0.2.1/", "--target", true).is_ok());
        // Where nothing is encrypted: the self-test, and the control of an origin.
        assert!(
            site("https://127.0.0.1/", "--origin-control", false)
                .unwrap_err()
                .text
                .contains("found https, allowed http only")
        );
    }
}
