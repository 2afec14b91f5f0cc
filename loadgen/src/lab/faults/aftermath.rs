//! What the planned events did to the evidence: whose memory they ended, when cache operations may fail because of them.

use std::collections::{BTreeMap, BTreeSet};

use evidence::CommandTimes;
use report::record::EventRow;
use scenarios::ActionKind;
use serde::{Deserialize, Serialize};

use crate::lab::Offset;

/// What is left of an event in the cache's connections after it is over: replicas find a lost one broken at their next
/// operation, and an operation that was under way ends at its time-out.
const GRACE_NS: i64 = 1_000_000_000;

/// What the events did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Aftermath {
    /// `events.jsonl`: what took effect, what did not, what was undone.
    pub rows: Vec<EventRow>,
    /// Incarnations of replicas that an event ended: nobody is left to tell what they did.
    pub ended: BTreeSet<String>,
    /// When cache operations may fail.
    pub spans: Vec<CacheFailureSpan>,
    /// When the cache was emptied, nanoseconds since t = 0.
    pub emptied_ns: Vec<i64>,
    /// Clocks of replicas that were started again, by index.
    pub clocks: BTreeMap<usize, Offset>,
    /// Whether an event ended a life of the cache.
    pub cache_ended: bool,
    /// When servers took each other's place.
    pub windows: Vec<NodeWindow>,
}

/// A time in which one server took another's place: its slots moved, or it was lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeWindow {
    /// Which event it was.
    #[serde(with = "as_word")]
    pub kind: ActionKind,
    /// From when, nanoseconds since t = 0.
    pub from_ns: i64,
    /// Until when.
    pub to_ns: i64,
    /// How long commands to a cluster took meanwhile.
    pub times: CommandTimes,
}

/// A time in which cache operations may fail, nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheFailureSpan {
    /// From when.
    pub from_ns: i64,
    /// Until when; `None` while it lasts.
    pub to_ns: Option<i64>,
    /// Of which replica; of every one, if there is none.
    pub replica: Option<u32>,
}

impl Aftermath {
    /// Whether an event explains that a replica's cache operation failed at a moment.
    #[must_use]
    pub fn explains(&self, at_ns: i64, replica: Option<u32>) -> bool {
        self.spans.iter().any(|span| {
            let until = span.to_ns.map_or(i64::MAX, |to| to.saturating_add(GRACE_NS));
            (span.from_ns..=until).contains(&at_ns) && (span.replica.is_none() || span.replica == replica)
        })
    }

    /// Whether an event that may concern a replica lies in a time, or so shortly before it that it was still felt.
    #[must_use]
    pub fn explains_time(&self, from_ns: i64, to_ns: i64, concerns: impl Fn(Option<u32>) -> bool) -> bool {
        self.spans.iter().any(|span| {
            let until = span.to_ns.map_or(i64::MAX, |to| to.saturating_add(GRACE_NS));
            span.from_ns <= to_ns && from_ns <= until && concerns(span.replica)
        })
    }

    /// Whether an event had emptied the cache shortly before.
    #[must_use]
    pub fn emptied(&self, at_ns: i64) -> bool {
        self.emptied_ns.iter().any(|emptied| (*emptied..=emptied.saturating_add(GRACE_NS)).contains(&at_ns))
    }

    /// Whether a flight was led by an incarnation that an event ended.
    #[must_use]
    pub fn is_unwitnessed(&self, flight: &str) -> bool {
        flight.split_once('-').is_some_and(|(incarnation, _)| self.ended.contains(incarnation))
    }
}

/// An action as its word.
mod as_word {
    use scenarios::ActionKind;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(super) fn serialize<S: Serializer>(kind: &ActionKind, to: S) -> Result<S::Ok, S::Error> {
        kind.row().word.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ActionKind, D::Error> {
        let word = String::deserialize(from)?;
        ActionKind::of(&word).ok_or_else(|| de::Error::custom("found another action than there are"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_explains_what_fails_while_it_lasts_and_shortly_after_and_only_whom_it_concerns() {
        let second = |s: i64| s * 1_000_000_000;
        let span =
            |from, to: Option<i64>, replica| CacheFailureSpan { from_ns: second(from), to_ns: to.map(second), replica };
        let spans = vec![span(10, Some(20), None), span(30, Some(31), Some(1)), span(40, None, Some(2))];
        let aftermath = Aftermath { spans, ..Aftermath::default() };
        for (at, replica, explained) in [
            (second(9), Some(0), false),
            (second(10), Some(0), true),
            (second(21), Some(0), true),
            (second(21) + 1, Some(0), false),
            (second(30), Some(0), false),
            (second(30), Some(1), true),
            (second(99), Some(2), true),
            (second(99), Some(1), false),
        ] {
            assert_eq!(aftermath.explains(at, replica), explained, "{at} {replica:?}");
        }
    }

    #[test]
    fn flights_of_a_life_that_was_ended_have_no_witness() {
        let ended = BTreeSet::from(["00000000000000ab".to_owned()]);
        let aftermath = Aftermath { ended, ..Aftermath::default() };
        assert!(aftermath.is_unwitnessed("00000000000000ab-17"));
        assert!(!aftermath.is_unwitnessed("00000000000000ac-17") && !aftermath.is_unwitnessed(""));
    }
}
