//! A scenario's events, made to happen at their moments, and undone when they are over. What is listed in the record is what
//! took effect.

mod aftermath;
#[cfg(feature = "labs")]
mod changed;
#[cfg(feature = "labs")]
mod containers;
#[cfg(feature = "labs")]
mod control;
#[cfg(feature = "labs")]
mod inject;
#[cfg(feature = "labs")]
mod nodes;
#[cfg(feature = "labs")]
mod server;

use report::record::{EventRow, LabEvent};
use scenarios::Action;
use strategies::time::nanos;

pub use aftermath::{Aftermath, CacheFailureSpan, NodeWindow};
#[cfg(feature = "labs")]
pub use inject::Injector;

/// What an action did or did not do, as `events.jsonl` has it: a `fault`, `fault-over` or `fault-failed`.
fn row(t_ns: i64, event: LabEvent, action: &Action, detail: String) -> EventRow {
    let action = Some(action.kind.row().word.into());
    EventRow { t_ns, event: event.name().into(), detail: Some(detail), action, ..EventRow::default() }
}

/// What an action did is over.
pub(crate) fn over(t_ns: i64, action: &Action, detail: String) -> EventRow {
    row(t_ns, LabEvent::FaultOver, action, detail)
}

/// An action that took effect.
pub(crate) fn fault(t_ns: i64, action: &Action, detail: String, replica: Option<u32>) -> EventRow {
    let for_ns = Some(nanos(action.length)).filter(|length| *length > 0);
    EventRow { replica, for_ns, ..row(t_ns, LabEvent::Fault, action, detail) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_took_effect_says_how_long_it_lasts_and_its_end_does_not() {
        let pause = Action::new(scenarios::ActionKind::CachePause).lasting(Duration::from_secs(2));
        let begun = fault(7, &pause, "cache paused for 2s".into(), None);
        assert_eq!((begun.event.as_str(), begun.action.as_deref()), ("fault", Some("cache-pause")));
        let over = row(9, LabEvent::FaultOver, &pause, "cache goes on".into());
        assert_eq!((begun.for_ns, over.for_ns), (Some(2_000_000_000), None));
        assert_eq!(fault(7, &Action::new(scenarios::ActionKind::Flush), "flush".into(), None).for_ns, None);
    }
}
