//! What happened while a server took another's place, from what the replicas told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use evidence::{CommandTimes, EventLine};
use report::record::{CommandLatency, TakeoverFigures, TakeoverSums};
use strategies::Key;
use strategies::port::{Cause, Event, Stored};

use super::events::Timeline;
use super::round::round;
use crate::lab::faults::NodeWindow;

/// How long after it flights still count: what it left behind is found by then.
const AFTER_NS: i64 = 1_000_000_000;

/// The figures of all times when a server took another's place; `None` where none did.
///
/// # Errors
/// Where what was told cannot be read back.
pub fn takeovers(windows: &[NodeWindow], told: &Timeline) -> io::Result<Option<TakeoverSums>> {
    if windows.is_empty() {
        return Ok(None);
    }
    let mut seen: Vec<SeenWindow> = windows.iter().map(SeenWindow::new).collect();
    told.lines(&mut |at, replica, line| {
        seen.iter_mut().for_each(|window| window.see(at, replica, line));
        Ok(())
    })?;
    let mut each: Vec<TakeoverFigures> = seen.into_iter().map(SeenWindow::figures).collect();
    each.sort_by(|one, two| one.at_ms.total_cmp(&two.at_ms));
    let mut times = CommandTimes::default();
    windows.iter().for_each(|window| times.add(&window.times));
    let [plain, moved, ask, _] = latencies(&times);
    let sum = |of: fn(&TakeoverFigures) -> u64| each.iter().map(of).sum();
    let ratio = |of: Option<CommandLatency>, at: fn(CommandLatency) -> f64| {
        of.zip(plain).filter(|(_, plain)| at(*plain) > 0.0).map(|(of, plain)| round(at(of) / at(plain), 1e2))
    };
    Ok(Some(TakeoverSums {
        took_ms_max: each.iter().map(|one| one.took_ms).fold(0.0, f64::max),
        failed: sum(|of| of.failed),
        led: sum(|of| of.led),
        led_twice: sum(|of| of.led_twice),
        puts_lost: sum(|of| of.puts_lost),
        ask_share: ask_share(&times),
        ask_p50_times: ratio(ask, |of| of.p50_ms),
        moved_p99_times: ratio(moved, |of| of.p99_ms),
        each,
    }))
}

/// Of the four, in the order in which they are told.
fn latencies(times: &CommandTimes) -> [Option<CommandLatency>; 4] {
    [&times.plain, &times.moved, &times.ask, &times.try_again].map(latency)
}

fn ask_share(times: &CommandTimes) -> Option<f64> {
    let commands = latencies(times).map(|of| of.map_or(0, |of| of.commands));
    let all: u64 = commands.iter().sum();
    (all > 0).then(|| round(commands[2] as f64 / all as f64, 1e4))
}

struct SeenWindow<'a> {
    of: &'a NodeWindow,
    figures: TakeoverFigures,
    /// Who leads flights of a key.
    leaders: BTreeMap<Key, BTreeSet<u32>>,
    /// Whose next flight of a key is led without a lock, or before its entry is over.
    unlocked: BTreeSet<(u32, Key)>,
    early: BTreeSet<(u32, Key)>,
    /// Until when entries that were there before are fresh.
    fresh: BTreeMap<Key, i64>,
}

impl<'a> SeenWindow<'a> {
    fn new(of: &'a NodeWindow) -> Self {
        let (leaders, unlocked, early, fresh) = Default::default();
        Self { of, figures: TakeoverFigures::default(), leaders, unlocked, early, fresh }
    }

    fn see(&mut self, at: i64, replica: u32, line: &EventLine) {
        let NodeWindow { from_ns, to_ns, .. } = *self.of;
        match &line.event {
            Event::LockFallback(key) | Event::LockTimeout(key) => _ = self.unlocked.insert((replica, key.clone())),
            Event::EarlyRefresh(key) => _ = self.early.insert((replica, key.clone())),
            Event::Put { key, fresh_until, stored: Stored::Stored, .. } => {
                let left = i64::try_from(fresh_until.0.saturating_sub(line.mono_ns)).unwrap_or(i64::MAX);
                match at < from_ns {
                    true => _ = self.fresh.insert(key.clone(), at.saturating_add(left)),
                    // What is lost of this one, something else has lost.
                    false => _ = self.fresh.remove(key),
                }
            }
            Event::Invalidated(key) => _ = self.fresh.remove(key),
            Event::CacheFailed { .. } if (from_ns..=to_ns).contains(&at) => self.figures.failed += 1,
            Event::FlightLed { key, cause, .. } => self.led(at, replica, key, *cause),
            Event::FlightEnded { key, .. } => {
                if let Some(leaders) = self.leaders.get_mut(key) {
                    leaders.remove(&replica);
                }
            }
            _ => {}
        }
    }

    fn led(&mut self, at: i64, replica: u32, key: &Key, cause: Cause) {
        let NodeWindow { from_ns, to_ns, .. } = *self.of;
        let whose = (replica, key.clone());
        let (unlocked, early) = (self.unlocked.remove(&whose), self.early.remove(&whose));
        if (from_ns..=to_ns.saturating_add(AFTER_NS)).contains(&at) {
            self.figures.led += 1;
            self.figures.unlocked += u64::from(unlocked);
            let others = self.leaders.get(key).is_some_and(|leaders| leaders.iter().any(|one| *one != replica));
            self.figures.led_twice += u64::from(others && !unlocked);
        }
        if !unlocked {
            self.leaders.entry(key.clone()).or_default().insert(replica);
        }
        if at > to_ns && cause == Cause::Demand && !early && !unlocked {
            self.figures.puts_lost += u64::from(self.fresh.remove(key).is_some_and(|until| at < until));
        }
    }

    fn figures(self) -> TakeoverFigures {
        let NodeWindow { kind, from_ns, to_ns, times } = self.of;
        let ms = |ns: i64| round(ns as f64 / 1e6, 1e3);
        let [plain, moved, ask, try_again] = latencies(times);
        TakeoverFigures {
            action: kind.row().word.to_owned(),
            at_ms: ms(*from_ns),
            took_ms: ms(to_ns - from_ns),
            ask_share: ask_share(times),
            plain,
            moved,
            ask,
            try_again,
            ..self.figures
        }
    }
}

/// Of counts by nanoseconds; `None` where there are none.
fn latency(of: &BTreeMap<u64, u64>) -> Option<CommandLatency> {
    let commands: u64 = of.values().sum();
    let at = |share: f64| {
        let mut left = (commands as f64 * share).ceil().max(1.0) as u64;
        let found = of.iter().find(|(_, count)| {
            let here = left <= **count;
            left = left.saturating_sub(**count);
            here
        });
        found.map(|(ns, _)| round(*ns as f64 / 1e6, 1e4))
    };
    let max = of.iter().rev().find(|(_, count)| **count > 0).map(|(ns, _)| round(*ns as f64 / 1e6, 1e4));
    Some(CommandLatency { commands, p50_ms: at(0.5)?, p99_ms: at(0.99)?, max_ms: max? }).filter(|_| commands > 0)
}

#[cfg(test)]
mod tests {
    use scenarios::ActionKind;
    use strategies::port::{FlightId, LeaderEnd};
    use strategies::time::Mono;

    use super::*;

    fn flight(number: u64) -> FlightId {
        FlightId { incarnation: 1, number }
    }

    #[test]
    fn what_was_led_twice_and_what_was_lost_is_told_apart_from_what_was_not() {
        let times = CommandTimes { plain: BTreeMap::from([(100_000, 99), (900_000, 1)]), ..CommandTimes::default() };
        let window = NodeWindow { kind: ActionKind::CacheFailover, from_ns: 100, to_ns: 200, times };
        let mut seen = SeenWindow::new(&window);
        let key = Key::of_item;
        let mut tell = |at: i64, replica, event| {
            seen.see(at, replica, &EventLine { mono_ns: at.unsigned_abs(), event });
        };
        let put = |item, until| Event::Put {
            key: key(item),
            fresh_until: Mono(until),
            version: 1,
            fenced: true,
            stored: Stored::Stored,
        };
        let led = |number, item, cause| Event::FlightLed { flight: flight(number), key: key(item), cause };
        for item in 1..=4 {
            tell(10, 0, put(item, 1000));
        }
        tell(20, 0, put(5, 150));
        // Item 1: led by one without a lock, and by two with one at once.
        tell(110, 0, Event::LockFallback(key(1)));
        tell(110, 0, led(1, 1, Cause::Demand));
        tell(120, 1, led(2, 1, Cause::Demand));
        tell(130, 2, led(3, 1, Cause::Demand));
        tell(135, 2, Event::CacheFailed { op: "put", class: strategies::port::CacheErrorClass::Down });
        tell(140, 1, Event::FlightEnded { flight: flight(2), key: key(1), end: LeaderEnd::Done });
        // Afterwards: 2 is lost, 3 is refreshed, 4 was removed, 5 is over.
        tell(210, 0, led(4, 2, Cause::Demand));
        tell(210, 0, led(5, 3, Cause::Refresh));
        tell(220, 0, Event::Invalidated(key(4)));
        tell(230, 0, led(6, 4, Cause::Demand));
        tell(240, 0, led(7, 5, Cause::Demand));
        let figures = seen.figures();
        let TakeoverFigures { failed, led, unlocked, led_twice, puts_lost, .. } = figures;
        assert_eq!((failed, led, unlocked, led_twice, puts_lost), (1, 7, 1, 1, 1));
        let plain = figures.plain.unwrap();
        assert_eq!((plain.commands, plain.p50_ms, plain.p99_ms, plain.max_ms), (100, 0.1, 0.1, 0.9));
        assert_eq!((figures.ask_share, figures.moved), (Some(0.0), None));
    }
}
