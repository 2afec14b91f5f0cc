//! What the tests of this room and of the generator share. Behind the feature `testing`: no program has it.

use crate::cache::redis_server::{PrivateRedis, installed};

/// What a test needs, where it is here. Where it is not, or `LAB_WITHOUT` (comma-separated) has `what`, a line that says so, and
/// the test is skipped.
///
/// # Panics
/// Where it is not here and `LAB_REQUIRE` has it.
#[must_use]
pub fn needed<T>(what: &str, find: impl FnOnce() -> Option<T>) -> Option<T> {
    let listed = |name| std::env::var(name).is_ok_and(|list| list.split(',').any(|one| one.trim() == what));
    if listed("LAB_WITHOUT") {
        skipped(&format!("LAB_WITHOUT has {what}"));
        return None;
    }
    let found = find();
    assert!(found.is_some() || !listed("LAB_REQUIRE"), "LAB_REQUIRE has {what}, and it is not here");
    if found.is_none() {
        skipped(&format!("no {what}; ci/test.sh installs it"));
    }
    found
}

/// A private Redis, where it is [`needed`] and here.
///
/// # Panics
/// Where Redis is required and absent, or does not start.
#[must_use]
#[allow(clippy::panic, reason = "test support")]
pub fn redis(extra: &[&str]) -> Option<PrivateRedis> {
    let server = needed("redis", installed)?;
    Some(PrivateRedis::start(&server, extra).unwrap_or_else(|e| panic!("{e}")))
}

/// Says that a test is skipped, and why.
#[allow(clippy::print_stderr, reason = "test support")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
