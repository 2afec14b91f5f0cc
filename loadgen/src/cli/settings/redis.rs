//! The Redis of `--redis`: one that can be used, and loaded.

use app::wire::address::{is_loopback, shown};

use crate::shell::exit::Failure;

/// A Redis that can be connected to, and on this machine unless its owner says so: the lab fills it and loads it.
pub(super) fn check_redis(url: &str, owned: bool) -> Result<(), Failure> {
    let flaw = |why: String| Failure::usage(format!("no Redis URL · --redis {} · {why}", shown(url)));
    #[cfg(feature = "labs")]
    app::cache::redis_cache::check_url(url).map_err(flaw)?;
    let why = |why| flaw(format!("{why} · write redis://HOST:PORT or redis+unix:///PATH"));
    if owned || is_loopback(url).map_err(why)? {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "a Redis that is not loopback · --redis {} · allowed 127.0.0.0/8, ::1 and a unix socket · the lab loads it: if it is \
         yours to load, add --i-own-this-target",
        shown(url)
    )))
}
