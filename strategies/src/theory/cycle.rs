//! What one cycle comes to: its herd, its length, the requests that wait in it and those answered with a stale value.
//!
//! The first read begins τ after the last put and lands d later. Readers that refresh or miss within that d read too, unless one
//! reads for all: N = 1 + Λ(τ+d) − Λ(τ) where nobody is held together, which is 1 + r·d at an expiry and e^(1/β) under XFetch,
//! whatever the load (Vattani, Chierichetti, Lowenstein, PVLDB 8(8), 2015); one read a process that has one of them; one for
//! the fleet. The last of these reads begins L after the first, and its put renews the TTL: a cycle is τ + L + d. Between the
//! later of expiry and first read and that read's landing, a reader gets a stale value until S past the expiry, and then waits.

use super::circumstances::{Circumstances, Readers, Think};
use super::layers::{Layers, Together};
use super::refresh::Refresh;
use crate::policy::Early;

/// Parts of the jitter's interval, and of the d in which a herd comes.
const PARTS: u32 = 5;
const STEPS: u32 = 10;

/// Means over the cycles.
#[derive(Debug, Clone, Default)]
pub(super) struct Cycle {
    /// N.
    pub(super) herd: f64,
    pub(super) mean_s: f64,
    /// Variance of its length, s².
    pub(super) variance: f64,
    /// L.
    pub(super) last_s: f64,
    /// Requests that wait, and that get a stale value.
    pub(super) waits: f64,
    pub(super) stales: f64,
    /// Whether clients of a closed loop wait in it, so that they ask less.
    pub(super) clients_wait: bool,
    /// How many reads fire within d of a put, mean: a refresh so soon would meet the last of the herd before it.
    pub(super) at_once: f64,
    pub(super) formula: &'static str,
}

impl Cycle {
    pub(super) fn of(layers: &Layers, at: &Circumstances) -> Self {
        let mut cycle = Self::of_rate(layers, at);
        // So seldom that the rate at which clients ask stays what it is.
        const SELDOM: f64 = 0.02;
        let closed = matches!(at.readers, Readers::Closed { .. });
        if closed && cycle.waits > SELDOM * asked_within(at, at.d()) {
            cycle.clients_wait = true;
            cycle.waits = asked_within(at, at.d());
            cycle.mean_s = layers.soft * f64::midpoint(layers.jitter.0, layers.jitter.1) + at.d() + 1.0 / at.r();
            cycle.herd = match layers.together {
                Together::Fleet => 1.0,
                Together::Process => processes(at.replicas, cycle.waits),
                Together::Nobody => cycle.waits,
            };
        }
        cycle.formula = formula(layers, cycle.clients_wait);
        cycle
    }

    /// Where requests come at a rate of r, whatever happens.
    fn of_rate(layers: &Layers, at: &Circumstances) -> Self {
        let (r, d) = (at.r(), at.d());
        let (least, most) = layers.jitter;
        let parts = if most > least { PARTS } else { 1 };
        let mut cycle = Self::default();
        let mut squares = 0.0;
        for part in 0..parts {
            let longer = least + (most - least) * (f64::from(part) + 0.5) / f64::from(parts);
            let (ttl, stale) = (layers.soft * longer, layers.stale * longer);
            let refresh = Refresh { early: layers.early, r, d, ttl };
            let hard = ttl + stale;
            for (tau, probability) in refresh.values([ttl - d, ttl, hard - d, hard]) {
                let weight = probability / f64::from(parts);
                let others = Others::of(layers, at, &refresh, tau);
                let length = tau + others.last + d;
                cycle.herd += weight * (1.0 + others.reads);
                cycle.last_s += weight * others.last;
                cycle.mean_s += weight * length;
                squares += weight * length * length;
                let (from, landed) = (tau.max(ttl), tau + d);
                let (first_stale, first_waits) = (tau > ttl && tau <= hard, tau > hard);
                cycle.stales += weight * (f64::from(u8::from(first_stale)) + r * (landed.min(hard) - from).max(0.0));
                let waiting = asked_in(at, (landed - from.max(hard)).max(0.0));
                cycle.waits += weight * (f64::from(u8::from(first_waits)) + waiting);
            }
            cycle.at_once = cycle.at_once.max(refresh.fired(d.min(ttl)));
        }
        cycle.variance = (squares - cycle.mean_s * cycle.mean_s).max(0.0);
        cycle
    }
}

/// The reads of a herd beside its first.
struct Others {
    reads: f64,
    /// When the last one begins, after the first.
    last: f64,
}

impl Others {
    fn of(layers: &Layers, at: &Circumstances, refresh: &Refresh, tau: f64) -> Self {
        let d = refresh.d;
        let by = |y: f64| refresh.fired(tau + y) - refresh.fired(tau);
        let step = d / f64::from(STEPS);
        let over_d = |left: &dyn Fn(f64) -> f64| (0..STEPS).map(|n| left((f64::from(n) + 0.5) * step) * step).sum();
        match layers.together {
            Together::Fleet => Self { reads: 0.0, last: 0.0 },
            Together::Nobody => {
                let reads = by(d);
                Self { reads, last: over_d(&|y| 1.0 - (by(y) - reads).exp()) }
            }
            Together::Process => {
                let idle = |replica: u32, y: f64| idle(at, refresh, replica, tau, y);
                let others = 1..at.replicas.max(1);
                let idle_to_the_end: Vec<f64> = others.clone().map(|replica| idle(replica, d)).collect();
                let reads = idle_to_the_end.iter().map(|idle| 1.0 - idle).sum();
                let begun = |y: f64| {
                    let each = others.clone().zip(&idle_to_the_end);
                    each.map(|(replica, to_the_end)| 1.0 - (idle(replica, y) - to_the_end)).product::<f64>()
                };
                Self { reads, last: over_d(&|y| 1.0 - begun(y)) }
            }
        }
    }
}

/// P(no read that refreshes has come to a replica within y of the first one, at τ, which came to another).
fn idle(at: &Circumstances, refresh: &Refresh, replica: u32, tau: f64, y: f64) -> f64 {
    let late = (tau + y - refresh.ttl.max(tau)).max(0.0);
    let early = (y - late).max(0.0);
    // Past the expiry every read refreshes; if the first one did so earlier, nobody knows whose turn it is then.
    let turn = (tau >= refresh.ttl).then_some(replica);
    // The part of the reads that refresh in time, mean.
    let part = if early > 0.0 { (refresh.fired(tau + early) - refresh.fired(tau)) / (refresh.r * early) } else { 0.0 };
    let in_time = in_turns(at, part * at.h(), Some(replica), early);
    if late > 0.0 { in_time * in_turns(at, at.h(), turn, late) } else { in_time }
}

/// P(of all requests in t, of which a share matters, none that does has come to a replica). Requests for whatever key go to the
/// replicas in turns: so many turns after the one before, or nobody knows when.
fn in_turns(at: &Circumstances, share: f64, turn: Option<u32>, t: f64) -> f64 {
    let mean = at.all_per_s() * t;
    let (replicas, others) = (f64::from(at.replicas), (1.0 - share).max(0.0));
    // Beyond this every replica has had its turn, many times.
    const MANY: f64 = 600.0;
    if mean > MANY {
        return (-share * mean / replicas).exp();
    }
    if share <= 0.0 || t <= 0.0 {
        return 1.0;
    }
    let (mut p, mut sum) = ((-mean).exp(), 0.0);
    let most = (mean + 10.0 * mean.sqrt() + 20.0) as u32;
    for requests in 0..most {
        sum += p * match turn {
            Some(turn) => others.powi(((requests + at.replicas - turn) / at.replicas) as i32),
            None => {
                let (whole, more) = (requests / at.replicas, f64::from(requests % at.replicas) / replicas);
                others.powi(whole as i32) * (1.0 - more * share)
            }
        };
        p *= mean / f64::from(requests + 1);
    }
    sum
}

/// Of so many readers at random replicas, how many replicas have one.
pub(super) fn processes(replicas: u32, readers: f64) -> f64 {
    let replicas = f64::from(replicas.max(1));
    replicas * (1.0 - (1.0 - 1.0 / replicas).powf(readers))
}

/// How many ask for the key within `d` of the first, the first included, if none of them is answered before.
pub(super) fn asked_within(at: &Circumstances, d: f64) -> f64 {
    match at.readers {
        Readers::Open { .. } => 1.0 + asked_in(at, d),
        Readers::Closed { clients, .. } => 1.0 + asked_in(at, d) * (1.0 - 1.0 / f64::from(clients.max(1))),
    }
}

/// How many ask for the key in `d`, if none of them is answered before. Open: r·d. Closed: each of the C clients with the
/// probability that one of its questions in d is for the key. With constant think time it asks ⌊d/z⌋ times, and once more with
/// probability d/z − ⌊d/z⌋; with exponential it asks for the key at rate h/z.
fn asked_in(at: &Circumstances, d: f64) -> f64 {
    let (Readers::Closed { clients, think }, Some(z)) = (at.readers, at.think_s()) else { return at.r() * d };
    let (times, missed) = (d / z, |times: f64| (1.0 - at.h()).powf(times));
    let none = match think {
        Think::Constant(_) => {
            let (whole, part) = (times.floor(), times.fract());
            (1.0 - part) * missed(whole) + part * missed(whole + 1.0)
        }
        Think::Exponential(_) | Think::Other => (-at.h() * times).exp(),
    };
    f64::from(clients) * (1.0 - none)
}

fn formula(layers: &Layers, clients_wait: bool) -> &'static str {
    match (layers.together, layers.early) {
        (Together::Fleet, Early::Never) => "1 by the lock",
        (Together::Fleet, _) => "1 by the lock, at the first read that fires",
        (Together::Process, Early::Never) => "min(R, 1 + rd), in the mean",
        (Together::Process, _) => "1 + the other replicas where a read fires in d",
        (Together::Nobody, Early::Never) if clients_wait => "1 + the other clients that ask in d",
        (Together::Nobody, Early::Never) => "1 + rd",
        (Together::Nobody, Early::XFetch { .. }) => "1 + reads that fire in d: e^(1/β) where the key is hot",
        (Together::Nobody, _) => "1 + reads that fire in d",
    }
}
