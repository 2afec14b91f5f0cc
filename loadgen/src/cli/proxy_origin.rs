//! `loadgen proxy-origin`: a counting reverse proxy in front of somebody's own origin, until a signal ends it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use app::origin_proxy::{CountedOrigin, Items, OriginProxy, OriginProxyListeners, run as serve};
use app::process::config::{Listen, shutdown_on_signals};
use app::wire::address::shown;
use clap::Args;
use report::text::escape::line;
use strategies::units::DURATION;

use super::trust::tls_client;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// How long an upstream may take at most to answer.
const PATIENCE_MAX: Duration = Duration::from_secs(3600);

/// The arguments of `proxy-origin`.
#[derive(Debug, Clone, Args)]
pub struct ProxyOriginArgs {
    /// Your origin: http://HOST:PORT or https://HOST:PORT; everything is passed on to it, and to nobody else
    #[arg(long, value_name = "URL")]
    pub upstream: String,
    /// With https://: certificates of the authorities that are trusted, PEM; the system's where none is named
    #[arg(long, value_name = "FILE")]
    pub upstream_ca: Option<PathBuf>,
    /// With https://: take any certificate, so that nobody knows who answers
    #[arg(long, conflicts_with = "upstream_ca")]
    pub upstream_insecure: bool,
    /// Which requests are reads of items: a path with {key} in it, or a regular expression with one group, which is the key
    #[arg(long, value_name = "PATTERN", default_value = "/items/{key}")]
    pub key: String,
    /// Where the cache asks, instead of the origin
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Where `run --origin-control` asks for the ledger
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8091")]
    pub control: SocketAddr,
    /// File with the control listener's token, at least 16 characters
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// How long the origin may take to answer, and each piece of its answer
    #[arg(long, value_name = "DURATION", default_value = "60s", allow_hyphen_values = true)]
    pub timeout: String,
}

/// Is it, until a signal ends it.
///
/// # Errors
/// [`Failure`] for what cannot be used.
pub async fn run(args: &ProxyOriginArgs) -> Result<Exit, Failure> {
    let upstream = upstream(args)?;
    let items = Items::read(&args.key)
        .map_err(|why| Failure::usage(format!("no pattern of items · --key {} · {}", line(&args.key), line(&why))))?;
    let proxy = OriginProxy::new(upstream, items, patience(&args.timeout)?).map_err(Failure::failed)?;
    let listen = Listen { listen: args.listen, control: Some(args.control), token_file: Some(args.token_file.clone()) };
    let unusable =
        |why: String| Failure::usage(format!("the proxy cannot listen · proxy-origin · {} · mend that", line(&why)));
    let (data, control) = listen.bind().await.map_err(|e| unusable(format!("{e:#}")))?;
    let control = control.ok_or_else(|| unusable("no control listener".to_owned()))?;
    let at = |listener: &tokio::net::TcpListener| listener.local_addr().map(|at| at.to_string()).unwrap_or_default();
    output::err(&format!(
        "passing on http://{} to {}, reads are {}; ledger at http://{}\n",
        at(&data),
        shown(&args.upstream),
        line(&args.key),
        at(&control.0)
    ));
    let shutdown = shutdown_on_signals().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    serve(std::sync::Arc::clone(&proxy), OriginProxyListeners { data, control }, shutdown).await;
    let (reads, others) = proxy.passed();
    output::err(&format!("passed on {reads} reads of items, and {others} other requests\n"));
    Ok(Exit::Ok)
}

fn upstream(args: &ProxyOriginArgs) -> Result<CountedOrigin, Failure> {
    let (encrypted, authority) = authority(&args.upstream)?;
    let (ca, insecure) = (args.upstream_ca.as_ref(), args.upstream_insecure);
    if !encrypted && (ca.is_some() || insecure) {
        return Err(Failure::usage(format!(
            "no TLS · --upstream {} · found http://, which nothing encrypts · write https://, or leave out --upstream-{}",
            line(&shown(&args.upstream)),
            if insecure { "insecure" } else { "ca" },
        )));
    }
    let tls = encrypted.then(|| tls_client("upstream", ca, insecure)).transpose()?;
    Ok(CountedOrigin { authority, tls })
}

/// Whether an upstream's URL is of `https://`, and its host and port.
fn authority(url: &str) -> Result<(bool, String), Failure> {
    let flaw = |found: &str, remedy: &str| {
        Failure::usage(format!("no upstream · --upstream {} · {found} · {remedy}", line(&shown(url))))
    };
    let example = "write http://HOST:PORT or https://HOST:PORT";
    let (encrypted, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        _ => return Err(flaw("found no http://", example)),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return Err(flaw("found more than a host and a port", example));
    }
    let named = authority.parse::<hyper::http::uri::Authority>().ok().filter(|named| !named.host().is_empty());
    match named {
        // A port that is none is left unread, not refused, by the library.
        Some(named) if named.port_u16().is_some() || authority == named.host() => Ok((encrypted, authority.to_owned())),
        _ => Err(flaw("found no host with a port", example)),
    }
}

fn patience(text: &str) -> Result<Duration, Failure> {
    let read = (DURATION.read)(text).ok().filter(|patience| !patience.is_zero() && *patience <= PATIENCE_MAX);
    read.ok_or_else(|| {
        Failure::usage(format!(
            "no time limit · --timeout · found {:?}, allowed more than 0 s and up to an hour · write 60s",
            line(text)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_host_and_a_port() {
        for (url, expected) in [
            ("http://127.0.0.1:8000", (false, "127.0.0.1:8000")),
            ("https://shop.internal/", (true, "shop.internal")),
            ("http://[::1]:9", (false, "[::1]:9")),
        ] {
            assert_eq!(authority(url).unwrap(), (expected.0, expected.1.to_owned()));
        }
        for (url, said) in [
            ("127.0.0.1:80", "found no http://"),
            ("ftp://shop", "found no http://"),
            ("http://shop/base", "more than a host and a port"),
            ("http://me:SECRET@shop", "more than a host and a port"),
            ("http://", "no host with a port"),
            ("http://shop:99999", "no host with a port"),
        ] {
            let text = authority(url).unwrap_err().text;
            assert!(text.contains(said) && !text.contains("SECRET"), "{url}: {text}");
        }
        for text in ["0s", "-1s", "2h", "soon"] {
            assert!(patience(text).unwrap_err().text.contains("--timeout"), "{text}");
        }
    }
}
