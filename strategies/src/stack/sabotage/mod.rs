//! Sabotage: what makes the `broken-…` strategies wrong, apart from everything that is right.
//!
//! Each is a public mistake, kept runnable by name and labelled wrong wherever it appears. It is a composition of the right
//! layers, of which one part is wrapped, or made in another way, so that what it does differently is the mistake's doing.

mod cache;
mod callers_flight;
mod fill;
mod lease;
mod near;
mod row;
mod seize;
mod sign;
mod write;

pub use row::BrokenInfo;
pub use seize::Seize;

/// Every broken strategy.
pub const BROKEN: &[BrokenInfo] = &[
    sign::XFETCH_SIGN,
    fill::NO_REREAD,
    fill::LOSERS_LOAD,
    lease::RELEASES_ANYBODYS,
    lease::NO_TTL,
    callers_flight::CALLERS_FLIGHT,
    cache::UNFENCED,
    cache::STALE_FOR_EVER,
    fill::UNPROTECTED,
    cache::UNORDERED,
    write::DELETE_BEFORE_WRITE,
    write::INVALIDATE_RACE,
    near::NO_FLUSH,
    near::RACE,
    near::NO_BOUND,
];
