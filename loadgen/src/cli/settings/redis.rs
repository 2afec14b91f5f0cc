//! The Redis of `--redis`: one that can be used, and loaded.

use std::fmt;

#[cfg(feature = "labs")]
use app::cache::redis_cache::{AddressFlaw, RedisAddress};
use app::wire::address::{is_loopback, shown};

use crate::cli::RunArgs;
#[cfg(feature = "labs")]
use crate::cli::reach;
use crate::shell::exit::Failure;

/// A Redis that was given, and how it is reached. It has secrets, and is shown without them.
#[derive(Clone)]
pub struct GivenRedis {
    /// Its URL, as typed.
    pub url: String,
    /// Whether the URLs are Sentinels'.
    watched: bool,
    /// The same with everything that is needed to reach it.
    #[cfg(feature = "labs")]
    pub address: RedisAddress,
}

impl fmt::Debug for GivenRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl GivenRedis {
    /// A Redis that can be connected to, and on this machine unless its owner says so: the lab fills it and loads it.
    pub(super) fn of(args: &RunArgs) -> Result<Option<Self>, Failure> {
        let Some(url) = &args.redis else {
            return args.access.given().map_or(Ok(None), |flag| {
                Err(Failure::usage(format!(
                    "no Redis to reach with it · {flag} · found no --redis · give --redis URL, or leave it out"
                )))
            });
        };
        let given = Self {
            url: url.clone(),
            watched: args.redis_primary.is_some(),
            #[cfg(feature = "labs")]
            address: address(url, args)?,
        };
        let why = |why: String| flaw(url, &format!("{why} · write redis://HOST:PORT or redis+unix:///PATH"));
        let all_loopback = || nodes(url).try_fold(true, |all, url| Ok::<bool, String>(all && is_loopback(url)?));
        if args.i_own_this_target || all_loopback().map_err(why)? {
            return Ok(Some(given));
        }
        Err(Failure::usage(format!(
            "a Redis that is not loopback · --redis {} · allowed 127.0.0.0/8, ::1 and a unix socket · the lab loads it: if it is \
             yours to load, add --i-own-this-target",
            all_shown(url)
        )))
    }

    /// Whether it is a cluster: more than one node is named, and they are no Sentinels.
    pub(super) fn is_cluster(&self) -> bool {
        !self.watched && nodes(&self.url).nth(1).is_some()
    }

    /// Where it is, without secrets.
    #[must_use]
    pub fn shown(&self) -> String {
        all_shown(&self.url)
    }
}

/// The URL of each node: of a server that stands alone there is one.
fn nodes(urls: &str) -> impl Iterator<Item = &str> {
    urls.split(',').map(str::trim)
}

/// All of them without their secrets.
fn all_shown(urls: &str) -> String {
    nodes(urls).map(shown).collect::<Vec<_>>().join(",")
}

fn flaw(url: &str, why: &str) -> Failure {
    Failure::usage(format!("no Redis URL · --redis {} · {why}", all_shown(url)))
}

#[cfg(feature = "labs")]
fn address(url: &str, args: &RunArgs) -> Result<RedisAddress, Failure> {
    let mut nodes = nodes(url);
    let first = nodes.next().unwrap_or_default();
    let others = nodes.map(str::to_owned).collect();
    let (tls, watched_as) = (reach::files(&args.access), args.redis_primary.clone());
    let mut address = RedisAddress { tls, others, watched_as, ..RedisAddress::from(first) };
    address.check().map_err(|why| match why {
        AddressFlaw::Url | AddressFlaw::Tail(_) | AddressFlaw::Node => flaw(url, &why.to_string()),
        AddressFlaw::NoTls => reach::without_tls(&format!("--redis {}", all_shown(url))),
        AddressFlaw::Tls(why) => reach::unusable(&why),
    })?;
    address.password = reach::password(&args.access, address.has_password())?;
    Ok(address)
}
