//! Where a formula holds: one row a premise, each with its name, what is to be said where it fails, the figures that rest on it, and
//! its check.
//!
//! Two tables, in this order: what must be known of strategy and scenario before anything can be computed, and what the computed cycle
//! must be like. A new law, layer or event either brings formulas or lets a row here fail.

use super::case::StrategyCase;
use super::circumstances::{Circumstances, FilledBy, Gaps, Readers};
use super::count::knows_cycle;
use super::cycle::{asked_within, processes};
use super::layers::{Layers, Together};
use crate::policy::{Early, RefreshMode};

/// A predicted figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Origin reads at an expiry, or at an early refresh.
    PerExpiry,
    /// From one to the next.
    Cycle,
    /// Origin reads of the key in the measured time.
    Total,
    /// Share of its requests that wait.
    WaitShare,
    /// Share of its requests that get a stale value.
    StaleShare,
}

use Figure::{Cycle, PerExpiry, StaleShare, Total, WaitShare};

impl Figure {
    /// All of them.
    pub const ALL: [Self; 5] = [PerExpiry, Cycle, Total, WaitShare, StaleShare];
}

/// A premise, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Premise {
    /// Its name.
    pub name: &'static str,
    /// What is the case where it fails, as a clause.
    pub otherwise: &'static str,
}

/// A premise about what is known.
struct Known {
    premise: Premise,
    holds: fn(&Layers, &Circumstances) -> bool,
}

/// A premise about what was computed, and what rests on it.
struct Row {
    premise: Premise,
    figures: &'static [Figure],
    holds: fn(&StrategyCase<'_>) -> bool,
}

const fn known(name: &'static str, otherwise: &'static str, holds: fn(&Layers, &Circumstances) -> bool) -> Known {
    Known { premise: Premise { name, otherwise }, holds }
}

const fn row(
    name: &'static str,
    otherwise: &'static str,
    figures: &'static [Figure],
    holds: fn(&StrategyCase<'_>) -> bool,
) -> Row {
    Row { premise: Premise { name, otherwise }, figures, holds }
}

/// The shortest service time, TTL and think time beside which the way to cache and origin and back, some 0.3 ms, does not matter.
const SHORTEST_S: f64 = 0.010;
/// That way, in the labs.
const WAY_S: f64 = 0.000_3;
/// What a budget must leave.
const SPARE_S: f64 = 0.05;
/// Part of a figure that a formula may leave out.
const NEGLIGIBLE: f64 = 0.05;
/// A share that nobody notices.
const RARE: f64 = 3e-4;
/// Standard deviations of a Poisson number that are looked after.
const DEVIATIONS: f64 = 3.0;
/// Cycles that must lie in the measured time: where it is known when they begin, where it is not, and where equal gaps let all
/// of them begin a moment later.
const CYCLES_MIN: f64 = 3.0;
const CYCLES_MIN_UNKNOWN: f64 = 10.0;
const CYCLES_MIN_EQUAL: f64 = 20.0;

const KNOWN: &[Known] = &[
    known("hot-key", "no key is singled out", |_, at| at.h() > 0.0),
    known("no-events", "the scenario's events disturb the cycle", |_, at| at.events == 0),
    known("no-writes", "items are written while they are read", |_, at| !at.writes),
    known("room", "the cache's memory is bounded, and entries may go before their time", |_, at| !at.evicts),
    known("one-item", "a request asks for several items", |_, at| at.batch == 1),
    known("idle-cache", "the scenario gives the simulated server's commands a cost", |_, at| !at.busy_cache),
    known("lasting-keys", "keys are replaced by new ones during the run", |_, at| !at.churn),
    known("one-class", "keys have classes with TTLs, sizes and shares of their own", |_, at| !at.classes),
    known("steady-load", "the rate of requests changes during the run", |_, at| at.steady),
    known("free-replicas", "requests may have to wait for a replica's slot", |_, at| !at.slots),
    known("right", "the strategy is wrong on purpose", |layers, _| !layers.flawed),
    known("shared-cache", "each replica has a cache of its own", |layers, _| !layers.local),
    known("reads-from-primaries", "replicas of the cache may answer reads, and be behind", |layers, _| !layers.behind),
    known("one-entry", "a key has several entries, each with an expiry of its own", |layers, _| !layers.copies),
    known(
        "connections-for-all",
        "requests hold connections of a pool, and others may have to wait for one",
        |layers, _| !layers.holds_connections,
    ),
    known(
        "refreshes-see-the-cache",
        "copies in the process keep on refreshing what another replica has refreshed",
        |layers, _| !layers.near || layers.early == Early::Never,
    ),
    known("constant-service-time", "the origin's service time varies", |_, at| at.service.is_some()),
    known("known-think-time", "clients think by a law for which there are no formulas", |_, at| {
        matches!(at.readers, Readers::Open { .. }) || at.think_s().is_some()
    }),
    known(
        "background-refresh",
        "a request that refreshes early waits for it, for which there are no formulas",
        |layers, _| !matches!(layers.early, Early::XFetch { mode: RefreshMode::Sync, .. }),
    ),
    known(
        "longer-than-the-way",
        "service time, TTL or think time is so short that the way to the origin and back counts",
        |layers, at| at.d() >= SHORTEST_S && layers.soft >= SHORTEST_S && at.think_s().is_none_or(|z| z >= SHORTEST_S),
    ),
    known("within-the-read-budget", "an origin read takes longer than it may", |_, at| {
        at.d() + SPARE_S <= at.budgets.origin_read.as_secs_f64()
    }),
    known("patience", "a client or its replica gives up before a read is over", |layers, at| {
        at.d() + layers.look() + SPARE_S <= at.patience.as_secs_f64()
    }),
    known("lock-outlives-the-read", "the lock ends, or its losers give up, before a read is over", |layers, at| {
        layers.lock.is_none_or(|lock| at.d() + SPARE_S <= lock.budget && at.d() + lock.look + SPARE_S <= lock.wait)
    }),
    known(
        "losers-look-in-time",
        "losers of the lock look so seldom that a value may have expired again",
        |layers, _| 2.0 * layers.look() <= layers.soft,
    ),
];

const ROWS: &[Row] = &[
    row(
        "origin-has-places",
        "the herd and the reads of other keys may be more than the origin serves at once",
        &Figure::ALL,
        |case| {
            let (herd, others) = under_way(case);
            let at_once = with_chance(herd) + with_chance(others);
            at_once <= f64::from(case.at.places)
                || clients(case).is_some_and(|clients| clients <= f64::from(case.at.places))
        },
    ),
    row("limit-is-not-reached", "a replica's limit may refuse reads or make them wait", &Figure::ALL, |case| {
        let (herd, others) = under_way(case);
        let replicas = f64::from(case.at.replicas.max(1));
        let at_once = 1.0 + with_chance(herd / replicas) + with_chance(others / replicas);
        case.layers.limit.is_none_or(|limit| {
            at_once <= f64::from(limit) && 2.0 * case.at.d() <= case.at.budgets.origin_read.as_secs_f64()
        })
    }),
    row(
        "read-shorter-than-ttl",
        "an origin read takes longer than the TTL, and nothing reads for all",
        &Figure::ALL,
        |case| case.layers.together == Together::Fleet || case.at.d() <= case.layers.soft,
    ),
    row(
        "lead-within-the-ttl",
        "the lead is so long that a new value is refreshed while others still load",
        &Figure::ALL,
        |case| case.layers.together == Together::Fleet || case.cycle.at_once <= NEGLIGIBLE,
    ),
    row(
        "gaps-do-not-count",
        "requests come in equal gaps that are long beside the service time",
        &[PerExpiry, Total, WaitShare, StaleShare],
        |case| equal_gaps(case) <= 2.0 * NEGLIGIBLE * asked_within(case.at, case.at.d()) || one_reads_unseen(case),
    ),
    row(
        "chance-of-gaps",
        "some values expire because nobody happens to ask in time, which equal gaps make less probable",
        &[WaitShare, StaleShare],
        |case| {
            let (waits, stales) = (case.cycle.waits, case.cycle.stales);
            let rare = |requests: f64| requests <= RARE * case.at.r() * case.cycle.mean_s;
            let never = matches!(case.layers.early, Early::Never);
            equal_gaps(case) == 0.0 || never && (case.layers.stale == 0.0 || rare(waits)) || rare(waits + stales)
        },
    ),
    row(
        "stale-window-unlike-the-read",
        "stale values are served for just about as long as a read takes, so that the share of waits depends on the way to the origin",
        &[WaitShare],
        |case| {
            let (left, seen) = ((case.at.d() - case.layers.stale).abs(), WAY_S / case.cycle.mean_s);
            case.layers.stale == 0.0 || WAY_S <= NEGLIGIBLE * left || seen <= RARE
        },
    ),
    row(
        "herds-alike",
        "the herd of the empty cache, which is not like those that follow, is measured too",
        &[PerExpiry],
        |case| {
            let alike = case.layers.together == Together::Fleet || matches!(case.layers.early, Early::Never);
            alike || filled_before(case)
        },
    ),
    row(
        "gaps-shorter-than-the-cycle",
        "requests come in equal gaps that are long beside the cycle",
        &[Cycle, Total],
        |case| equal_gaps(case) <= 2.0 * NEGLIGIBLE * case.cycle.mean_s * case.at.r(),
    ),
    row(
        "clients-do-not-wait-for-others",
        "clients wait so long for other keys that they ask for this one less often",
        &Figure::ALL,
        |case| slowed(case) <= NEGLIGIBLE * 0.6,
    ),
    row(
        "think-shorter-than-the-ttl",
        "clients think so long that a cycle has only a few of their questions",
        &[Cycle, Total, WaitShare, StaleShare],
        |case| case.at.think_s().is_none_or(|z| z <= NEGLIGIBLE * case.layers.soft.min(case.cycle.mean_s)),
    ),
    row(
        "last-reader-soon",
        "the last client of a herd, whose value renews the TTL, asks so late that the cycle is longer",
        &[WaitShare, StaleShare],
        |case| {
            // The last of N independent exponential times comes after z·(1 + 1/2 + … + 1/N), about z·(ln N + 0.58).
            let after = |z: f64| z * (case.cycle.herd.max(1.0).ln() + 0.58);
            knows_cycle(&case.layers, &case.cycle)
                || case.at.think_s().is_none_or(|z| after(z) <= 1.5 * NEGLIGIBLE * case.cycle.mean_s)
        },
    ),
    row(
        "losers-come-back-soon",
        "losers of the lock look so seldom that their clients ask less",
        &[WaitShare, StaleShare],
        |case| !case.cycle.clients_wait || case.layers.look() <= 2.0 * NEGLIGIBLE * case.layers.soft,
    ),
    row("early-or-never", "clients wait at some of the refreshes and not at others", &Figure::ALL, |case| {
        !case.cycle.clients_wait || matches!(case.layers.early, Early::Never) && case.layers.stale == 0.0
    }),
    row(
        "out-of-step",
        "clients with a constant think time keep step, so that how many ask within the service time depends on how they began",
        &[PerExpiry, Total],
        |case| case.layers.together == Together::Fleet || out_of_step(case),
    ),
    row(
        "shares-out-of-step",
        "clients with a constant think time keep step, so that how many wait or get a stale value depends on how they began",
        &[WaitShare, StaleShare],
        out_of_step,
    ),
    row(
        "each-replica-is-asked",
        "so few clients ask within the service time that the replicas which they happen to be at count",
        &[PerExpiry, Total],
        |case| {
            let closed = matches!(case.at.readers, Readers::Closed { .. });
            let readers = asked_within(case.at, case.at.d());
            let most = readers.min(f64::from(case.at.replicas));
            !closed
                || case.layers.together != Together::Process
                || most - processes(case.at.replicas, readers) <= NEGLIGIBLE * most
        },
    ),
    row(
        "cycle-of-clients",
        "clients that wait for each other's reads make the cycle irregular",
        &[Cycle, Total],
        |case| knows_cycle(&case.layers, &case.cycle),
    ),
    row(
        "known-beginning",
        "it is not known when the value that the cache had at t = 0 would expire",
        &[Total],
        |case| matches!(case.at.filled, FilledBy::ByLoad(_)),
    ),
    row(
        "filled-before-the-start",
        "the warm-up is too short to fill the cache",
        &[Total, WaitShare, StaleShare],
        filled_before,
    ),
    row(
        "several-cycles",
        "the run is too short for a share or a sum: it has only a few cycles",
        &[Total, WaitShare, StaleShare],
        |case| case.counts.cycles >= cycles_min(case),
    ),
];

/// Every premise, in the order in which they are checked.
pub fn premises() -> impl Iterator<Item = &'static Premise> {
    KNOWN.iter().map(|known| &known.premise).chain(ROWS.iter().map(|row| &row.premise))
}

pub(super) fn first_unknown(layers: &Layers, at: &Circumstances) -> Option<&'static Premise> {
    KNOWN.iter().find(|known| !(known.holds)(layers, at)).map(|known| &known.premise)
}

pub(super) fn first_failing(case: &StrategyCase<'_>, figure: Figure) -> Option<&'static Premise> {
    let failing = ROWS.iter().find(|row| row.figures.contains(&figure) && !(row.holds)(case));
    failing.map(|row| &row.premise)
}

/// Whether the herd of the empty cache is over at t = 0.
fn filled_before(case: &StrategyCase<'_>) -> bool {
    let fill = case.at.d() + case.layers.look() + 5.0 / case.at.r();
    match case.at.filled {
        FilledBy::ByLoad(warmup) => warmup.as_secs_f64() >= fill,
        FilledBy::Otherwise => true,
    }
}

fn cycles_min(case: &StrategyCase<'_>) -> f64 {
    match case.at.readers {
        Readers::Open { gaps: Gaps::Equal, .. } => CYCLES_MIN_EQUAL,
        Readers::Open { gaps: Gaps::Poisson, .. } if matches!(case.at.filled, FilledBy::ByLoad(_)) => CYCLES_MIN,
        Readers::Open { .. } | Readers::Closed { .. } => CYCLES_MIN_UNKNOWN,
    }
}

/// Reads under way at once: the herd's, and those of other keys, which at worst are never in the cache, but for what one for
/// the process or the fleet keeps back. Means.
fn under_way(case: &StrategyCase<'_>) -> (f64, f64) {
    let (at, herd) = (case.at, case.cycle.herd);
    let per_key = match case.layers.together {
        Together::Fleet => 1.0,
        Together::Process => f64::from(at.replicas),
        Together::Nobody => f64::INFINITY,
    };
    let all = at.all_per_s() * at.d();
    let other_keys = (all * (1.0 - at.h() - at.missing).max(0.0)).min(f64::from(at.others) * per_key);
    (herd, other_keys + all * at.missing)
}

/// A Poisson number of this mean is hardly ever more.
fn with_chance(mean: f64) -> f64 {
    mean + DEVIATIONS * mean.sqrt()
}

/// Nobody asks more at once than there are clients; what is refreshed in the background nobody waits for.
fn clients(case: &StrategyCase<'_>) -> Option<f64> {
    match case.at.readers {
        Readers::Closed { clients, .. } if case.cycle.clients_wait => Some(f64::from(clients)),
        Readers::Closed { .. } | Readers::Open { .. } => None,
    }
}

/// By how many requests of the key equal gaps make a number differ from what independent ones make of it, at most.
fn equal_gaps(case: &StrategyCase<'_>) -> f64 {
    match case.at.readers {
        Readers::Open { gaps: Gaps::Equal, .. } => case.at.h(),
        Readers::Open { gaps: Gaps::Poisson, .. } | Readers::Closed { .. } => 0.0,
    }
}

/// One read for the fleet, and no request waits or gets a stale value.
fn one_reads_unseen(case: &StrategyCase<'_>) -> bool {
    case.layers.together == Together::Fleet && case.cycle.waits + case.cycle.stales < 0.01
}

/// How much longer clients of a closed loop are away because of other keys, relative to their think time: each request for what does
/// not exist waits for a read, and of those for a key that is asked for ρ times a second (1 + ρd) of 1 + ρ(T + d).
fn slowed(case: &StrategyCase<'_>) -> f64 {
    let (at, Some(z)) = (case.at, case.at.think_s()) else { return 0.0 };
    let share = (1.0 - at.h() - at.missing).max(0.0);
    let (d, each) = (at.d(), at.all_per_s() * share / f64::from(at.others.max(1)));
    let missed = (1.0 + each * d) / (1.0 + each * (case.layers.soft + d));
    (share * missed + at.missing) * (d + case.layers.look()) / z
}

/// Clients that were answered together ask together again, for as long as they think for the same time. How many of them ask within d
/// then depends on how they began, but not where each of them asks in it anyway, nor where each asks many times.
fn out_of_step(case: &StrategyCase<'_>) -> bool {
    let (true, Some(z)) = (case.at.in_step(), case.at.think_s()) else { return true };
    let times = case.at.d() / z;
    let (whole, missed) = (times.floor(), |times: f64| (1.0 - case.at.h()).powf(times));
    if case.cycle.clients_wait {
        let (least, most) = (1.0 - missed(whole), 1.0 - missed(whole + 1.0));
        return most - least <= 1.2 * NEGLIGIBLE * most;
    }
    times >= 0.5 / NEGLIGIBLE || one_reads_unseen(case)
}
