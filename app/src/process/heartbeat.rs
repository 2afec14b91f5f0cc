//! The heartbeat of a part of the lab: twenty times a second its thread notes that it runs, and that its wall clock has kept
//! step with its monotonic one. A thread that stood still, for whatever reason, and a clock that was set are told by what
//! does not fit; nobody has to say that it happened. It must never do more than note: whether a run is valid is judged
//! elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strategies::port::Clock;
use strategies::time::Mono;

use evidence::{ClockStep, Heartbeat, LONG_SILENCE, Silence};

/// From one beat to the next.
pub const BEAT: Duration = Duration::from_millis(50);
/// A wall clock that moves by this much against the monotonic one was set. Slewing (NTP, adjtime) changes the rate of both
/// alike, so a clock that is merely corrected never does.
pub const STEP_FROM: Duration = Duration::from_millis(5);
/// Entries of each list at most; the first ones are enough to know.
pub const LISTED_MAX: usize = 1000;
/// The two clocks are read one after the other: a reading that took longer says nothing, and is made again.
const READING_MAX: Duration = Duration::from_micros(500);
/// How often it is made again at one beat.
const READINGS_MAX: u32 = 8;

/// A heart. A program that runs beats it.
#[derive(Default)]
pub struct Heart(Mutex<Pulse>);

#[derive(Default)]
struct Pulse {
    last: Option<Mono>,
    /// The wall clock less the monotonic one, at the first beat and after each step.
    wall_ahead_ns: Option<i128>,
    told: Heartbeat,
}

impl Heart {
    /// Forgets everything; the time of its silences begins now.
    pub fn restart(&self, clock: &dyn Clock) {
        let mut pulse = self.pulse();
        *pulse = Pulse::default();
        pulse.beat(clock);
    }

    /// The same, with silences that begin at a moment that may have passed already.
    pub fn restart_from(&self, clock: &dyn Clock, at: Mono) {
        let mut pulse = self.pulse();
        *pulse = Pulse { last: Some(at.min(clock.mono())), ..Pulse::default() };
        pulse.beat(clock);
    }

    /// One beat.
    pub fn beat(&self, clock: &dyn Clock) {
        self.pulse().beat(clock);
    }

    /// Beats on the runtime that polls this; never ends.
    pub async fn keep_beating(&self, clock: &dyn Clock) {
        loop {
            self.beat(clock);
            clock.sleep(BEAT).await;
        }
    }

    /// Everything since the start, this moment included.
    pub fn told(&self, clock: &dyn Clock) -> Heartbeat {
        let mut pulse = self.pulse();
        pulse.beat(clock);
        pulse.told.clone()
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    fn beat(&mut self, clock: &dyn Clock) {
        let now = clock.mono();
        if let Some(last) = self.last.replace(now) {
            note(Silence { from_ns: last.0, to_ns: now.0 }, &mut self.told.longest_ns, &mut self.told.silences);
        }
        let Some(ahead) = wall_ahead_ns(clock) else { return };
        let by = ahead - *self.wall_ahead_ns.get_or_insert(ahead);
        if by.unsigned_abs() >= STEP_FROM.as_nanos() {
            self.wall_ahead_ns = Some(ahead);
            let by_ns = i64::try_from(by).unwrap_or(if by < 0 { i64::MIN } else { i64::MAX });
            push(&mut self.told.steps, ClockStep { at_ns: now.0, by_ns });
        }
    }
}

/// Notes a silence: the longest there was, and each that is worth telling.
pub(crate) fn note(silence: Silence, longest_ns: &mut u64, silences: &mut Vec<Silence>) {
    *longest_ns = silence.ns().max(*longest_ns);
    if u128::from(silence.ns()) >= LONG_SILENCE.as_nanos() {
        push(silences, silence);
    }
}

pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < LISTED_MAX {
        list.push(item);
    }
}

/// The wall clock less the monotonic one; `None` where no reading was fast enough to mean anything.
fn wall_ahead_ns(clock: &dyn Clock) -> Option<i128> {
    (0..READINGS_MAX).find_map(|_| {
        let (before, wall, after) = (clock.mono(), clock.wall(), clock.mono());
        (after.since(before) <= READING_MAX).then(|| i128::from(wall.0) - i128::from(before.0))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use strategies::port::BoxFuture;
    use strategies::time::Wall;

    use super::*;

    /// A machine's two clocks in a test's hand.
    #[derive(Default)]
    struct Clocks {
        mono: AtomicU64,
        wall: AtomicU64,
        /// How long it takes to read one.
        reading: AtomicU64,
    }

    const MS: u64 = 1_000_000;

    impl Clocks {
        fn pass(&self, mono_ms: u64, wall_ms: u64) {
            self.mono.fetch_add(mono_ms * MS, Ordering::Relaxed);
            self.wall.fetch_add(wall_ms * MS, Ordering::Relaxed);
        }
    }

    impl Clock for Clocks {
        fn mono(&self) -> Mono {
            let reading = self.reading.load(Ordering::Relaxed);
            self.wall.fetch_add(reading, Ordering::Relaxed);
            Mono(self.mono.fetch_add(reading, Ordering::Relaxed))
        }
        fn wall(&self) -> Wall {
            Wall(self.wall.load(Ordering::Relaxed))
        }
        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn a_thread_that_stood_still_is_known_by_its_silence() {
        let (clocks, heart) = (Clocks::default(), Heart::default());
        clocks.pass(1000, 1000);
        heart.restart(&clocks);
        for still in [50, 51, 99, 3000, 50] {
            clocks.pass(still, still);
            heart.beat(&clocks);
        }
        clocks.pass(400, 400);
        let told = heart.told(&clocks);
        assert_eq!((told.longest_ns, told.steps), (3000 * MS, Vec::new()));
        let silences: Vec<_> = told.silences.iter().map(|s| (s.from_ns / MS, s.to_ns / MS)).collect();
        assert_eq!(silences, [(1200, 4200), (4250, 4650)], "the one that lasts until now counts, too");
        heart.restart(&clocks);
        assert_eq!(heart.told(&clocks), Heartbeat::default());
        heart.restart_from(&clocks, clocks.mono().minus(Duration::from_millis(700)));
        assert_eq!(
            heart.told(&clocks).longest_ns,
            700 * MS,
            "a program that begins late was silent from when it should have begun"
        );
    }

    #[test]
    fn a_wall_clock_that_was_set_is_known_by_the_monotonic_one_and_a_slow_reading_is_none() {
        let (clocks, heart) = (Clocks::default(), Heart::default());
        clocks.pass(1000, 90_000);
        heart.restart(&clocks);
        // As fast as the other, four milliseconds ahead, a second back, as fast, a minute ahead.
        for (mono, wall) in [(50, 50), (50, 54), (2000, 1000), (50, 50), (50, 60_000)] {
            clocks.pass(mono, wall);
            heart.beat(&clocks);
        }
        let steps: Vec<_> = heart.told(&clocks).steps.iter().map(|s| s.by_ns / MS as i64).collect();
        assert_eq!(steps, [-996, 59_950]);
        clocks.reading.store(7 * MS, Ordering::Relaxed);
        heart.beat(&clocks);
        assert_eq!(heart.told(&clocks).steps.len(), 2, "a thread that is interrupted while it reads sets no clock");
    }
}
