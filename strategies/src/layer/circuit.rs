//! The breaker's states, as a value: closed, open, half open; and nothing of futures, locks or clocks.
//!
//! Closed, it counts how calls end, and opens by its rule ([`TripRule`]). Open, it refuses everything for `cool_down`, longer by up
//! to [`JITTER`] of it, so that replicas do not come back together. Then it is half open: at most `trickle` calls at a time; one
//! failure opens it again, `successes` that end well close it. (Nygard, Release It!, 2007; Fowler, CircuitBreaker, 2014.)

use std::time::Duration;

use crate::kit::time::{Mono, nanos};
use crate::port::BreakerState;

/// By what share of itself a cool-down may be longer.
pub(crate) const JITTER: f64 = 0.2;
/// Into how many parts the window is divided: it forgets a part at a time.
const PARTS: u64 = 10;
/// When it is worth asking again while the breaker is half open.
const SOON: Duration = Duration::from_secs(1);

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TripRule {
    /// Of the calls that ended within the window, at least `samples` (1 or more), a share (above 0, at most 1) that failed.
    Share { share: f64, samples: u32, window: Duration },
    /// So many failures in a row, 1 or more.
    Run(u32),
    /// Nothing that calls say when they end: [`Circuit::trip`].
    Told,
}

/// When a breaker opens, and how it closes again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CircuitSettings {
    pub(crate) rule: TripRule,
    pub(crate) cool_down: Duration,
    /// At least 1.
    pub(crate) trickle: u32,
    /// At least 1.
    pub(crate) successes: u32,
}

/// How a call ended that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallResult {
    Well,
    Failed,
    /// It says nothing of what was called.
    Unknown,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateChange {
    Opened,
    HalfOpened,
    Closed,
}

impl From<StateChange> for BreakerState {
    fn from(change: StateChange) -> Self {
        match change {
            StateChange::Opened => Self::Open,
            StateChange::HalfOpened => Self::HalfOpen,
            StateChange::Closed => Self::Closed,
        }
    }
}

/// The answer to one who wants to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Yes; how it ended is to be told with this.
    Let(Ticket),
    /// Not now.
    Refused { retry_after: Duration },
}

/// In which state a call was let through: what it says later counts only there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Clone)]
enum State {
    Closed(Tally),
    Open { until: Mono },
    HalfOpen { under_way: u32, well: u32 },
}

/// How calls ended while it was closed.
#[derive(Debug, Clone, Default)]
struct Tally {
    parts: Vec<Part>,
    /// Failures since the last call that ended well.
    run: u32,
}

/// A part of the window: which one since time zero, and how its calls ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    number: u64,
    well: u32,
    failed: u32,
}

/// A breaker.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    settings: CircuitSettings,
    state: State,
    /// How often the state has changed.
    changes: u64,
}

impl Circuit {
    /// A closed one.
    pub(crate) fn new(settings: CircuitSettings) -> Self {
        Self { settings, state: State::Closed(Tally::default()), changes: 0 }
    }

    /// Somebody wants to call.
    pub(crate) fn ask(&mut self, now: Mono) -> (Pass, Option<StateChange>) {
        let change = match self.state {
            State::Open { until } if now >= until => {
                Some(self.change(State::HalfOpen { under_way: 0, well: 0 }, StateChange::HalfOpened))
            }
            _ => None,
        };
        let pass = match &mut self.state {
            State::Closed(_) => Pass::Let(Ticket(self.changes)),
            State::Open { until } => Pass::Refused { retry_after: until.since(now) },
            State::HalfOpen { under_way, .. } if *under_way < self.settings.trickle => {
                *under_way += 1;
                Pass::Let(Ticket(self.changes))
            }
            State::HalfOpen { .. } => Pass::Refused { retry_after: SOON },
        };
        (pass, change)
    }

    /// A call has ended. `draw` in [0, 1) stretches the cool-down, should there be one.
    pub(crate) fn ended(&mut self, now: Mono, ticket: Ticket, end: CallResult, draw: f64) -> Option<StateChange> {
        if ticket.0 != self.changes {
            return None; // it was let through in another state
        }
        let opens = match (&mut self.state, end) {
            (State::HalfOpen { under_way, well }, _) => {
                *under_way = under_way.saturating_sub(1);
                *well += u32::from(end == CallResult::Well);
                if *well >= self.settings.successes {
                    return Some(self.change(State::Closed(Tally::default()), StateChange::Closed));
                }
                end == CallResult::Failed
            }
            (State::Closed(_) | State::Open { .. }, CallResult::Unknown) | (State::Open { .. }, _) => false,
            (State::Closed(tally), CallResult::Well | CallResult::Failed) => {
                tally.opens(self.settings.rule, now, end == CallResult::Failed)
            }
        };
        opens.then(|| self.open(now, draw))
    }

    /// Opens it where it is closed. `draw` as for [`Circuit::ended`].
    pub(crate) fn trip(&mut self, now: Mono, draw: f64) -> Option<StateChange> {
        matches!(self.state, State::Closed(_)).then(|| self.open(now, draw))
    }

    fn open(&mut self, now: Mono, draw: f64) -> StateChange {
        let longer = self.settings.cool_down.mul_f64(JITTER * draw);
        self.change(State::Open { until: now.plus(self.settings.cool_down + longer) }, StateChange::Opened)
    }

    fn change(&mut self, state: State, change: StateChange) -> StateChange {
        self.state = state;
        self.changes += 1;
        change
    }
}

impl Tally {
    /// Counts one more end, and tells whether it opens by the rule.
    fn opens(&mut self, rule: TripRule, now: Mono, failed: bool) -> bool {
        self.run = if failed { self.run.saturating_add(1) } else { 0 };
        match rule {
            TripRule::Told => false,
            TripRule::Run(most) => self.run >= most,
            TripRule::Share { share, samples, window } => {
                self.count(now.0 / (nanos(window) / PARTS).max(1), failed);
                let sum = |of: fn(&Part) -> u32| self.parts.iter().map(of).fold(0, u32::saturating_add);
                let (all, bad) = (sum(|part| part.well.saturating_add(part.failed)), sum(|part| part.failed));
                failed && all >= samples && f64::from(bad) >= share * f64::from(all)
            }
        }
    }

    /// Counts it in the window, and forgets the parts that have left it.
    fn count(&mut self, number: u64, failed: bool) {
        self.parts.retain(|part| part.number + PARTS > number);
        if self.parts.last().is_none_or(|last| last.number != number) {
            self.parts.push(Part { number, well: 0, failed: 0 });
        }
        if let Some(last) = self.parts.last_mut() {
            let count = if failed { &mut last.failed } else { &mut last.well };
            *count = count.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kit::rng::Rng;

    const SETTINGS: CircuitSettings = CircuitSettings {
        rule: TripRule::Share { share: 0.5, samples: 4, window: Duration::from_secs(10) },
        cool_down: Duration::from_secs(2),
        trickle: 2,
        successes: 3,
    };

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    /// A read that is let through and ends at once.
    fn read(circuit: &mut Circuit, ms: u64, end: CallResult) -> Option<StateChange> {
        let (Pass::Let(ticket), None) = circuit.ask(at(ms)) else { panic!("refused at {ms} ms") };
        circuit.ended(at(ms), ticket, end, 0.5)
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::new(SETTINGS);
        let ends = (0..4).map(|_| read(&mut circuit, 0, CallResult::Failed)).collect::<Vec<_>>();
        assert_eq!(ends, [None, None, None, Some(StateChange::Opened)], "not before there are enough samples");
        circuit
    }

    #[test]
    fn it_opens_at_the_share_with_enough_samples_within_the_window() {
        opened();
        let mut circuit = Circuit::new(SETTINGS);
        for _ in 0..3 {
            assert_eq!(read(&mut circuit, 0, CallResult::Well), None);
        }
        assert_eq!(read(&mut circuit, 100, CallResult::Failed), None);
        assert_eq!(read(&mut circuit, 100, CallResult::Failed), None, "2 of 5");
        assert_eq!(read(&mut circuit, 100, CallResult::Failed), Some(StateChange::Opened), "3 of 6");
        let mut circuit = Circuit::new(SETTINGS);
        assert_eq!(read(&mut circuit, 0, CallResult::Failed), None);
        assert_eq!(read(&mut circuit, 0, CallResult::Failed), None);
        assert_eq!(read(&mut circuit, 0, CallResult::Failed), None);
        assert_eq!(read(&mut circuit, 10_000, CallResult::Failed), None, "the first three are forgotten");
    }

    #[test]
    fn it_opens_at_a_run_of_failures_and_where_it_is_told() {
        let mut circuit = Circuit::new(CircuitSettings { rule: TripRule::Run(3), ..SETTINGS });
        for end in [CallResult::Failed, CallResult::Failed, CallResult::Well, CallResult::Failed, CallResult::Failed] {
            assert_eq!(read(&mut circuit, 0, end), None, "no three in a row");
        }
        assert_eq!(read(&mut circuit, 0, CallResult::Failed), Some(StateChange::Opened));
        let mut circuit = Circuit::new(CircuitSettings { rule: TripRule::Told, ..SETTINGS });
        assert!((0..100).all(|_| read(&mut circuit, 0, CallResult::Failed).is_none()));
        assert_eq!((circuit.trip(at(1), 0.0), circuit.trip(at(1), 0.0)), (Some(StateChange::Opened), None));
        assert_eq!(circuit.ask(at(1)).0, Pass::Refused { retry_after: Duration::from_secs(2) });
    }

    /// Of independent calls that fail with probability p, (p^−k − 1)/(1 − p) on average until k fail one after the other.
    #[test]
    fn a_run_of_ten_sees_outages_and_no_brown_out() {
        let rng = Rng::new(11);
        for (p, trials) in [(0.9, 4000), (0.7, 2000), (0.5, 400)] {
            let settings = CircuitSettings { rule: TripRule::Run(10), ..SETTINGS };
            let calls = |_| {
                let mut circuit = Circuit::new(settings);
                let end = || if rng.next_unit() < p { CallResult::Failed } else { CallResult::Well };
                (1..).find(|_| read(&mut circuit, 0, end()).is_some()).unwrap_or(0)
            };
            let mean = (0..trials).map(calls).sum::<u32>() as f64 / f64::from(trials);
            let expected = (f64::powi(p, -10) - 1.0) / (1.0 - p);
            assert!((mean / expected - 1.0).abs() < 0.12, "p = {p}: {mean} calls, theory {expected}");
        }
    }

    #[test]
    fn a_cool_down_ends_with_a_trickle_and_the_trickle_decides() {
        let mut circuit = opened();
        // 2 s and a half of a fifth of it.
        assert_eq!(circuit.ask(at(2199)).0, Pass::Refused { retry_after: Duration::from_millis(1) });
        let (first, change) = circuit.ask(at(2200));
        assert_eq!(change, Some(StateChange::HalfOpened));
        let (second, _) = circuit.ask(at(2200));
        let (Pass::Let(first), Pass::Let(second)) = (first, second) else { panic!("two may pass") };
        assert_eq!(circuit.ask(at(2200)).0, Pass::Refused { retry_after: SOON });
        assert_eq!(circuit.ended(at(2300), first, CallResult::Well, 0.0), None);
        assert_eq!(
            circuit.ended(at(2300), second, CallResult::Unknown, 0.0),
            None,
            "it says nothing, and frees its place"
        );
        assert_eq!(read(&mut circuit, 2400, CallResult::Well), None);
        assert_eq!(read(&mut circuit, 2400, CallResult::Well), Some(StateChange::Closed));
        assert!(matches!(circuit.ask(at(2400)), (Pass::Let(_), None)));
    }

    #[test]
    fn one_failure_opens_it_again_and_what_was_let_through_before_counts_no_more() {
        let mut circuit = opened();
        let (Pass::Let(late), _) = circuit.ask(at(3000)) else { panic!("half open") };
        let (Pass::Let(failing), _) = circuit.ask(at(3000)) else { panic!("half open") };
        assert_eq!(circuit.ended(at(4000), failing, CallResult::Failed, 0.0), Some(StateChange::Opened));
        assert_eq!(circuit.ended(at(4000), late, CallResult::Failed, 0.0), None, "one cool-down, not two");
        assert_eq!(circuit.ask(at(5999)).0, Pass::Refused { retry_after: Duration::from_millis(1) });
        assert!(matches!(circuit.ask(at(6000)), (Pass::Let(_), Some(StateChange::HalfOpened))));
    }

    proptest! {
        /// Whatever happens: it never refuses for longer than a cool-down and its jitter; while half open no more than the
        /// trickle are under way; and it changes only as the states' graph has it.
        #[test]
        fn its_promises_hold_in_any_order_of_events(
            steps in prop::collection::vec((0_u8..4, 0_u64..3000, 0.0..1.0_f64), 1..300),
            samples in 1_u32..6, trickle in 1_u32..4, successes in 1_u32..5,
        ) {
            let rule = TripRule::Share { share: 0.5, samples, window: Duration::from_secs(10) };
            let settings = CircuitSettings { rule, trickle, successes, ..SETTINGS };
            let mut circuit = Circuit::new(settings);
            let (mut now, mut passed) = (at(0), Vec::new());
            // What somebody outside sees of it.
            let mut was = StateChange::Closed;
            let see = |was: &mut StateChange, change: Option<StateChange>| {
                let Some(change) = change else { return true };
                let allowed = match *was {
                    StateChange::Closed => change == StateChange::Opened,
                    StateChange::Opened => change == StateChange::HalfOpened,
                    StateChange::HalfOpened => change != StateChange::HalfOpened,
                };
                *was = change;
                allowed
            };
            for (what, wait, draw) in steps {
                now = now.plus(Duration::from_millis(if what == 0 { wait } else { wait % 7 }));
                if what < 2 {
                    let (pass, change) = circuit.ask(now);
                    prop_assert!(see(&mut was, change));
                    match pass {
                        Pass::Let(ticket) => passed.push((ticket, circuit.changes)),
                        Pass::Refused { retry_after } => {
                            prop_assert!(was != StateChange::Closed, "refused while closed");
                            let longest = settings.cool_down.mul_f64(1.0 + JITTER).max(SOON);
                            prop_assert!(retry_after <= longest);
                        }
                    }
                } else if !passed.is_empty() {
                    let (ticket, _) = passed.remove(wait as usize % passed.len());
                    let end = if what == 2 { CallResult::Failed } else { CallResult::Well };
                    let change = circuit.ended(now, ticket, end, draw);
                    prop_assert!(see(&mut was, change));
                }
                if was == StateChange::HalfOpened {
                    let of_now = passed.iter().filter(|(_, state)| *state == circuit.changes).count();
                    prop_assert!(of_now <= trickle as usize, "{of_now} at a time");
                }
            }
            // In the end it lets somebody through, whatever state it was left in.
            if was == StateChange::Opened {
                let later = now.plus(settings.cool_down.mul_f64(1.0 + JITTER));
                prop_assert!(matches!(circuit.ask(later), (Pass::Let(_), Some(StateChange::HalfOpened))));
            }
        }
    }
}
