//! Of counters that expire (I21): an increment that is acknowledged is counted once, one whose answer was lost at most once, nothing that
//! was counted is overwritten, no counter is left without an end, and nothing fails where nothing had gone wrong.

use std::collections::BTreeMap;

use strategies::Key;
use strategies::port::{CounterCommand, HeldCounter};

use super::checker::{Checker, CheckerVerdict, Known};
use super::fact::{End, Fact, FactKind};
use crate::cache::Effect;

/// I21, in the cache's own order.
#[derive(Default)]
pub(super) struct CountedOnce {
    /// The requests that are under way: for which counter, and whether everything had healed when they came.
    asked: BTreeMap<u32, (Key, bool)>,
    /// Counted, and not acknowledged yet: by the counter's key in the cache and the value that it came to.
    counted: BTreeMap<(Key, i64), u64>,
    /// Counters without an end, and since when.
    endless: BTreeMap<Key, i64>,
    /// Increments that were counted, and what their clients know.
    effects: u64,
    acknowledged: u64,
    unknown: u64,
}

/// What a counter comes to by a command, and whether it then has an end; `None` where it is not changed.
fn after(command: CounterCommand, before: Option<HeldCounter>) -> Option<(i64, bool)> {
    let (value, has_end) = before.map_or((0, false), |held| (held.value, held.left.is_some()));
    let is_new = before.is_none();
    match command {
        CounterCommand::Read => None,
        CounterCommand::Set(value, _) => Some((value, true)),
        CounterCommand::SetNew(value, _) => is_new.then_some((value, true)),
        CounterCommand::Add(by) => Some((value + by, has_end)),
        CounterCommand::Expire(_) => (!is_new).then_some((value, true)),
        CounterCommand::Transaction(by, _) => Some((value + by, is_new || has_end)),
        CounterCommand::Script { by, repair, .. } => Some((value + by, is_new || has_end || repair)),
        CounterCommand::Increx(by, _) => Some((value + by, true)),
    }
}

/// How many increments a command counts.
const fn increments(command: CounterCommand) -> i64 {
    match command {
        CounterCommand::Read | CounterCommand::Expire(_) | CounterCommand::SetNew(..) => 0,
        CounterCommand::Set(by, _)
        | CounterCommand::Add(by)
        | CounterCommand::Transaction(by, _)
        | CounterCommand::Script { by, .. }
        | CounterCommand::Increx(by, _) => by,
    }
}

impl CountedOnce {
    fn effect(
        &mut self,
        key: &Key,
        command: CounterCommand,
        before: Option<HeldCounter>,
        at_ns: i64,
    ) -> CheckerVerdict {
        let Some((value, has_end)) = after(command, before) else { return Ok(()) };
        if has_end {
            self.endless.remove(key);
        } else {
            self.endless.entry(key.clone()).or_insert(at_ns);
        }
        let by = increments(command);
        if by > 0 {
            self.effects += by.unsigned_abs();
            *self.counted.entry((key.clone(), value)).or_default() += 1;
        }
        match (command, before) {
            (CounterCommand::Set(..), Some(held)) => {
                Err(format!("counter {key} was at {}, and {value} was written over that", held.value))
            }
            _ => Ok(()),
        }
    }

    fn answered(&mut self, known: &Known, request: u32, end: &End, at_ns: i64) -> CheckerVerdict {
        let Some((key, probe)) = self.asked.remove(&request) else { return Ok(()) };
        let told = match end {
            End::Count(Ok(answer)) => answer.told,
            End::Count(Err(error)) => {
                self.unknown += u64::from(error.is_unknown());
                if probe {
                    return Err(format!("request {request} failed when everything had healed: {error}"));
                }
                if !known.troubles.any(i64::MIN, at_ns, |_| true) {
                    return Err(format!("request {request} failed when nothing had gone wrong: {error}"));
                }
                return Ok(());
            }
            End::Refused => return Ok(()),
            _ => {
                self.unknown += 1;
                return Ok(());
            }
        };
        self.acknowledged += 1;
        // A counter in several keys is judged by the sums alone: which of them it was is the strategy's own.
        let Some(value) = told.filter(|told| told.part == 0).and_then(|told| i64::try_from(told.value).ok()) else {
            return Ok(());
        };
        let of_key = (key.clone(), i64::MIN)..=(key.clone(), i64::MAX);
        let in_other_keys = self.counted.range(of_key).next().is_none();
        match self.counted.get_mut(&(key.clone(), value)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Ok(())
            }
            Some(_) => Err(format!(
                "request {request} was told {value} of counter {key}, as another was before, and one was counted so"
            )),
            None if in_other_keys => Ok(()),
            None => Err(format!("request {request} was told {value} of counter {key}, and none was counted so")),
        }
    }

    fn over(&self) -> CheckerVerdict {
        if let Some((key, since)) = self.endless.iter().next() {
            let seconds = *since as f64 / 1e9;
            return Err(format!(
                "counter {key} has no end, since {seconds:.6} s: no window of it will ever begin again"
            ));
        }
        let Self { effects, acknowledged, unknown, .. } = *self;
        if acknowledged > effects {
            return Err(format!("{acknowledged} increments were acknowledged, and {effects} counted"));
        }
        if effects > acknowledged + unknown {
            return Err(format!(
                "{effects} increments were counted; {acknowledged} were acknowledged, and {unknown} may have been"
            ));
        }
        Ok(())
    }
}

impl Checker for CountedOnce {
    fn name(&self) -> &'static str {
        "I21 counted once, and to an end"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Asked { request, key, probe } => drop(self.asked.insert(*request, (key.clone(), *probe))),
            FactKind::Cache(Effect::Counted(key, command, before)) => {
                return self.effect(key, *command, *before, fact.at_ns);
            }
            FactKind::Answered { request, end } => return self.answered(known, *request, end, fact.at_ns),
            FactKind::Over(_) => return self.over(),
            _ => {}
        }
        Ok(())
    }
}
