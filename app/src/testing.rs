//! What the tests of this room and of the generator share. Behind the feature `testing`: no program has it.

use crate::cache::redis_server::{PrivateRedis, installed};

/// Whether `LAB_REQUIRE` (comma-separated) makes the absence of something a failure.
#[must_use]
pub fn required(what: &str) -> bool {
    std::env::var("LAB_REQUIRE").is_ok_and(|list| list.split(',').any(|w| w.trim() == what))
}

/// A private Redis. Where none is installed: a failure if `LAB_REQUIRE` has `redis`, else `None`, and a line that says so.
///
/// # Panics
/// Where Redis is required and absent, or does not start.
#[must_use]
#[allow(clippy::panic, reason = "test support")]
pub fn redis(extra: &[&str]) -> Option<PrivateRedis> {
    let Some(server) = installed() else {
        assert!(!required("redis"), "LAB_REQUIRE has redis, and no redis-server is on the PATH");
        skipped("no redis-server on the PATH");
        return None;
    };
    Some(PrivateRedis::start(&server, extra).unwrap_or_else(|e| panic!("{e}")))
}

/// Says that a test is skipped, and why.
#[allow(clippy::print_stderr, reason = "test support")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why} (ci/test.sh installs it)");
}
