//! The rows of `lock` and `lease`: two ways to hold a key for the fleet, see [`Hold`].

use std::sync::Arc;
use std::time::Duration;

use super::{Fill, Hold, LEASE_MARGIN, Lock, LockSettings, OnTimeout};
use crate::port::Cache;
use crate::spec::{Alone, Args, FillLayer, Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;
use crate::stack::budgets::Budgets;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The row of `lock`.
pub(crate) const LOCK: LayerInfo = LayerInfo {
    name: "lock",
    slot: Slot::Fill,
    summary: "one flight per key and fleet: SET NX PX in the cache; losers poll",
    params: &[
        ParamInfo {
            name: "lease",
            default: "auto",
            what: "life of the lock",
            range: Range::AutoOrTime(
                "twice the scenario's budgets.origin_read, usually 10s",
                LEASE_MARGIN.saturating_add(Duration::from_millis(100)),
                DAY,
            ),
        },
        POLL,
        WAIT,
        ON_TIMEOUT,
        WAKE,
        FALLBACK,
    ],
    make: |args| {
        let life = args.auto_or_duration("lease")?;
        let hold = Hold::Lock { life: life.unwrap_or(Budgets::USUAL.lock_life()) };
        settings(args, hold, life.is_none())
    },
};

/// The row of `lease`.
pub(crate) const LEASE: LayerInfo = LayerInfo {
    name: "lease",
    slot: Slot::Fill,
    summary: "a short lock that its holder renews while it works, and whose put is fenced: a late one changes nothing",
    params: &[
        ParamInfo {
            name: "life",
            default: "1s",
            what: "life of the lease, renewed at a third of it",
            range: Range::Time(Duration::from_millis(30), HOUR),
        },
        ParamInfo {
            name: "max_age",
            default: "auto",
            what: "when its holder gives up all the same",
            range: Range::AutoOrTime(
                "six times the scenario's budgets.origin_read, usually 30s",
                Duration::from_millis(100),
                DAY,
            ),
        },
        POLL,
        WAIT,
        ON_TIMEOUT,
        WAKE,
        FALLBACK,
    ],
    make: |args| {
        let (life, age) = (args.duration("life")?, args.auto_or_duration("max_age")?);
        let hold = Hold::Lease { life, max_age: age.unwrap_or(Budgets::USUAL.lease_age()) };
        settings(args, hold, age.is_none())
    },
};

const POLL: ParamInfo = ParamInfo {
    name: "poll",
    default: "50ms",
    what: "how often losers re-read the cache",
    range: Range::Time(MS, SECOND.saturating_mul(10)),
};
const WAIT: ParamInfo = ParamInfo {
    name: "wait",
    default: "auto",
    what: "how long losers wait",
    range: Range::AutoOrTime("the scenario's budgets.lock_wait, usually 5s", Duration::ZERO, DAY),
};
const ON_TIMEOUT: ParamInfo = ParamInfo {
    name: "on_timeout",
    default: "shed",
    what: "what a loser gets then: shed (503), load (reads the origin itself) or stale",
    range: Range::Word(&["shed", "load", "stale"]),
};
const WAKE: ParamInfo = ParamInfo {
    name: "wake",
    default: "poll",
    what: "poll, or notify where losers are woken by a message",
    range: Range::Word(&["poll", "notify"]),
};
const FALLBACK: ParamInfo = ParamInfo {
    name: "fallback",
    default: "250ms",
    what: "with wake=notify: how often losers look all the same",
    range: POLL.range,
};

/// What both have in common.
fn settings(args: &Args<'_>, hold: Hold, auto_hold: bool) -> Result<Layer, String> {
    let notify = args.word("wake", &[false, true])?;
    let poll = args.duration(if notify { "fallback" } else { "poll" })?;
    let wait = args.auto_or_duration("wait")?;
    Ok(Layer::Fill(Arc::new(LockSettings {
        hold,
        poll,
        wait: wait.unwrap_or(Budgets::USUAL.lock_wait),
        on_timeout: args.word("on_timeout", &[OnTimeout::Shed, OnTimeout::Load, OnTimeout::Stale])?,
        notify,
        auto_hold,
        auto_wait: wait.is_none(),
    })))
}

impl FillLayer for LockSettings {
    fn around(&self, inner: Arc<dyn Fill>, shared: Arc<dyn Cache>, ports: &Ports, incarnation: u64) -> Arc<dyn Fill> {
        Arc::new(Lock::new(ports, shared, inner, *self, incarnation))
    }

    fn reach(&self) -> Alone {
        Alone::InFleet
    }

    fn lock(&self) -> Option<LockSettings> {
        Some(*self)
    }

    fn fitted(&self, budgets: &Budgets) -> Arc<dyn FillLayer> {
        Arc::new(LockSettings::fitted(*self, budgets))
    }
}
