//! A replica's event and its moment, and its form on the wire.

use serde::{Deserialize, Serialize};
use strategies::port::{Event, Texts};
use strategies::time::Mono;

/// One of a replica's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "EventTexts", try_from = "EventTexts")]
pub struct EventLine {
    /// When, on the replica's monotonic clock.
    pub mono_ns: u64,
    /// What.
    pub event: Event,
}

/// The same on the wire: the texts of `events.jsonl`, and what no record has.
#[derive(Debug, Serialize, Deserialize)]
struct EventTexts {
    mono_ns: u64,
    event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flight: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Of what was stored: until when the entry is fresh, on the replica's monotonic clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fresh_until_ns: Option<u64>,
}

impl From<EventLine> for EventTexts {
    fn from(EventLine { mono_ns, event }: EventLine) -> Self {
        let fresh_until_ns = match &event {
            Event::Put { fresh_until, .. } => Some(fresh_until.0),
            _ => None,
        };
        Self {
            mono_ns,
            event: event.name().to_owned(),
            key: event.key().map(ToString::to_string),
            flight: event.flight().map(|flight| flight.to_string()),
            detail: event.detail().map(Into::into),
            fresh_until_ns,
        }
    }
}

impl TryFrom<EventTexts> for EventLine {
    type Error = String;

    fn try_from(line: EventTexts) -> Result<Self, String> {
        let (key, flight, detail) = (line.key.as_deref(), line.flight.as_deref(), line.detail.as_deref());
        let texts = Texts { event: &line.event, key, flight, detail };
        let event = Event::of(texts, Mono(line.fresh_until_ns.unwrap_or(0)));
        Ok(Self { mono_ns: line.mono_ns, event: event.ok_or_else(|| format!("no event of ours: {texts:?}"))? })
    }
}

/// `GET /events` of a replica: everything since its strategy was started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplicaEvents {
    /// In the order in which they happened.
    pub events: Vec<EventLine>,
    /// Events that the log had no room for; anything but zero makes the run invalid.
    pub dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_the_wire() {
        for event in Event::samples() {
            let line = EventLine { mono_ns: 7, event };
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<EventLine>(&text).unwrap(), line, "{text}");
        }
        assert!(serde_json::from_str::<EventLine>(r#"{"mono_ns":7,"event":"none-of-ours"}"#).is_err());
    }
}
