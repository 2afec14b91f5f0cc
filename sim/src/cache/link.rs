//! The link in front of a port: how long a message takes in either direction, and whether it arrives.
//!
//! A path is a connection: first in, first out, until it is told to reorder. Latencies are even over an interval, drawn
//! in whole nanoseconds: no logarithm of the platform's is in them, so that a run is the same on every machine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use strategies::rng::{Rng, mix};
use strategies::time::Mono;

/// How long a message takes: at least `least`, and up to `spread` more, evenly; nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLatency {
    /// The shortest.
    pub least: u64,
    /// What may be added.
    pub spread: u64,
}

impl LinkLatency {
    /// A latency in whole microseconds.
    #[must_use]
    pub const fn micros(least: u64, spread: u64) -> Self {
        Self { least: least * 1000, spread: spread * 1000 }
    }

    /// One draw, nanoseconds.
    #[must_use]
    pub fn draw(&self, draws: &Draws) -> u64 {
        let extra = if self.spread == 0 { 0 } else { (u128::from(draws.next()) * u128::from(self.spread)) >> 64 };
        self.least.saturating_add(extra as u64)
    }
}

/// Random bits for one thread: as [`Rng`], without its atomic addition.
#[derive(Debug)]
pub struct Draws(AtomicU64);

impl Draws {
    /// A stream of its own, from the next number of `rng`.
    #[must_use]
    pub fn from(rng: &Rng) -> Self {
        Self(AtomicU64::new(rng.next_u64()))
    }

    /// The next number, evenly in [0, 1).
    #[must_use]
    pub fn unit(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next 64 bits (SplitMix64).
    #[must_use]
    pub fn next(&self) -> u64 {
        let state = self.0.load(Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.store(state, Relaxed);
        mix(state)
    }
}

/// One direction of a link.
#[derive(Debug)]
pub struct Path {
    latency: LinkLatency,
    draws: Draws,
    /// When the message before arrives.
    last: AtomicU64,
    cut_until: AtomicU64,
    /// Of 2^32 messages so many are lost.
    lost: AtomicU64,
    reorders: AtomicBool,
}

impl Path {
    /// A path that works. Its draws depend on `rng`'s seed alone.
    #[must_use]
    pub fn new(latency: LinkLatency, rng: &Rng) -> Self {
        Self {
            latency,
            draws: Draws::from(rng),
            last: AtomicU64::new(0),
            cut_until: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            reorders: AtomicBool::new(false),
        }
    }

    /// When a message that is sent at `now` arrives; `None` where it never does.
    #[must_use]
    pub fn deliver(&self, now: Mono) -> Option<Mono> {
        let at = now.0.saturating_add(self.latency.draw(&self.draws));
        if now.0 < self.cut_until.load(Relaxed) {
            return None;
        }
        let lost = self.lost.load(Relaxed);
        if lost > 0 && self.draws.next() >> 32 < lost {
            return None;
        }
        if self.reorders.load(Relaxed) {
            return Some(Mono(at));
        }
        let at = at.max(self.last.load(Relaxed));
        self.last.store(at, Relaxed);
        Some(Mono(at))
    }

    /// Nothing that is sent before `until` arrives, nor before the end of an earlier cut.
    pub fn cut(&self, until: Mono) {
        self.cut_until.fetch_max(until.0, Relaxed);
    }

    /// Until when it is cut; the beginning of time where it never was.
    #[must_use]
    pub fn down_until(&self) -> Mono {
        Mono(self.cut_until.load(Relaxed))
    }

    /// From now on each message is lost with probability `share`.
    pub fn lose(&self, share: f64) {
        self.lost.store((share.clamp(0.0, 1.0) * 4_294_967_296.0) as u64, Relaxed);
    }

    /// From now on messages may overtake each other.
    pub fn reorder(&self) {
        self.reorders.store(true, Relaxed);
    }
}

/// Both directions.
#[derive(Debug)]
pub struct Link {
    /// From the caller to the one called.
    pub there: Path,
    /// And back.
    pub back: Path,
}

impl Link {
    /// A link that works; `rng` must be its own.
    #[must_use]
    pub fn new(latency: LinkLatency, rng: &Rng) -> Self {
        Self { there: Path::new(latency, &rng.fork("there")), back: Path::new(latency, &rng.fork("back")) }
    }

    /// Cuts both directions until then.
    pub fn cut(&self, until: Mono) {
        self.there.cut(until);
        self.back.cut(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> Path {
        Path::new(LinkLatency::micros(100, 50), &Rng::new(7))
    }

    #[test]
    fn latencies_fill_their_interval_and_messages_stay_in_order() {
        let path = path();
        let arrivals: Vec<u64> =
            (0..10_000).map(|n| path.deliver(Mono(n * 1_000_000)).unwrap().0 - n * 1_000_000).collect();
        let mean = arrivals.iter().sum::<u64>() / 10_000;
        assert!(arrivals.iter().all(|ns| (100_000..150_000).contains(ns)));
        assert!((124_000..126_000).contains(&mean), "{mean}");
        let burst: Vec<Mono> = (0..100).map(|n| path.deliver(Mono(20_000_000_000 + n)).unwrap()).collect();
        assert!(burst.is_sorted());
        path.reorder();
        let burst: Vec<Mono> = (0..100).map(|n| path.deliver(Mono(30_000_000_000 + n)).unwrap()).collect();
        assert!(!burst.is_sorted());
    }

    #[test]
    fn a_path_is_cut_in_one_direction_for_a_time_and_loses_its_share() {
        let link = Link::new(LinkLatency::micros(100, 0), &Rng::new(7));
        link.back.cut(Mono(500));
        assert_eq!(link.there.deliver(Mono(0)), Some(Mono(100_000)));
        assert_eq!(link.back.deliver(Mono(499)), None);
        assert_eq!(link.back.deliver(Mono(500)), Some(Mono(100_500)));
        link.there.lose(0.25);
        let arrived = (0..100_000).filter(|n| link.there.deliver(Mono(1_000_000 * n)).is_some()).count();
        assert!((74_000..76_000).contains(&arrived), "{arrived}");
    }
}
