//! `cache-breaker`: it stops asking a shared cache that is slow or fails, and comes back with a trickle.
//!
//! It stands around every operation on entries and leases, within the meter's sight: what it refuses never reaches the cache and is no
//! operation. What counts against the cache is a call that failed for want of an answer, or took longer than `slow`.

mod guard;
mod guarded;
mod settings;

use std::time::Duration;

pub(crate) use settings::CacheBreakerLayer;
use settings::{BreakerRule, BreakerThen};

use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};

const TIME: Range = Range::Time(Duration::from_millis(1), Duration::from_secs(3600));

/// Its row.
pub(crate) const CACHE_BREAKER: LayerInfo = LayerInfo {
    name: "cache-breaker",
    slot: Slot::Cache,
    summary: "stops asking a shared cache that is slow or fails, and comes back with a trickle",
    params: &[
        ParamInfo {
            name: "rule",
            default: "rate",
            what: "what opens it: consecutive (n slow calls in a row), rate (a share of the calls of a second, of at least n) or \
                   in-flight (n calls that have not come back within slow)",
            range: Range::Word(&["consecutive", "rate", "in-flight"]),
        },
        ParamInfo { name: "slow", default: "50ms", what: "from when on a call is slow", range: TIME },
        ParamInfo { name: "n", default: "10", what: "how many calls: see rule", range: Range::Count(1, 100_000) },
        ParamInfo {
            name: "share",
            default: "0.5",
            what: "of calls that are slow or fail (rule=rate)",
            range: Range::AtMost(1.0),
        },
        ParamInfo {
            name: "open",
            default: "5s",
            what: "how long it stays open, and up to a fifth longer",
            range: TIME,
        },
        ParamInfo {
            name: "then",
            default: "stale",
            what: "what becomes of a request meanwhile: stale (the last value that this process has seen, refreshed in the \
                   background), local (a cache of the process's own), origin (as when the cache is lost) or shed (503)",
            range: Range::Word(&["stale", "local", "origin", "shed"]),
        },
    ],
    make: |args| {
        use BreakerRule::{Consecutive, InFlight, Rate};
        use BreakerThen::{Local, Origin, Shed, Stale};
        Ok(Layer::CacheBreaker(CacheBreakerLayer {
            rule: args.word("rule", &[Consecutive, Rate, InFlight])?,
            slow: args.duration("slow")?,
            n: args.count("n")?,
            share: args.number("share")?,
            open: args.duration("open")?,
            then: args.word("then", &[Stale, Local, Origin, Shed])?,
        }))
    },
};
