//! Events as records have them: texts. One conversion each way, for whatever writes or reads them.

use std::borrow::Cow;

use super::{BreakerState, CacheErrorClass, Cause, Event, FlightId, LeaderEnd, OPERATIONS, RefusedBy, Stored};
use crate::port::key::Key;
use crate::time::Mono;

/// An event's texts, as a line of `events.jsonl` has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Texts<'a> {
    /// What: see [`Event::name`].
    pub event: &'a str,
    /// Which key.
    pub key: Option<&'a str>,
    /// Which flight.
    pub flight: Option<&'a str>,
    /// What else there is to say: see [`Event::detail`].
    pub detail: Option<&'a str>,
}

impl Event {
    /// Its name in records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FlightLed { .. } => "flight-led",
            Self::FlightEnded { .. } => "flight-ended",
            Self::Answered(_) => "answered",
            Self::LockEnded { .. } => "lock-ended",
            Self::Written { .. } => "written",
            Self::WriteFailed { .. } => "write-failed",
            Self::Invalidated(_) => "invalidated",
            Self::CacheNotTold(_) => "cache-not-told",
            Self::Put { stored: Stored::Stored, .. } => "stored",
            Self::Put { stored: Stored::Fenced, .. } => "fenced",
            Self::EarlyRefresh(_) => "early-refresh",
            Self::RefreshFailed(_) => "refresh-failed",
            Self::LockTimeout(_) => "lock-timeout",
            Self::LockFallback(_) => "lock-fallback",
            Self::WakeLost(_) => "wake-lost",
            Self::Corrupt(_) => "corrupt",
            Self::OriginSpared { .. } => "origin-spared",
            Self::Breaker(_) => "breaker",
            Self::CacheBreaker(_) => "cache-breaker",
            Self::CacheFailed { .. } => "cache-failed",
        }
    }

    /// The key that it is about, where it is about one.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::FlightLed { key, .. }
            | Self::FlightEnded { key, .. }
            | Self::LockEnded { key, .. }
            | Self::Written { key, .. }
            | Self::WriteFailed { key, .. }
            | Self::Invalidated(key)
            | Self::CacheNotTold(key)
            | Self::Put { key, .. }
            | Self::EarlyRefresh(key)
            | Self::RefreshFailed(key)
            | Self::LockTimeout(key)
            | Self::LockFallback(key)
            | Self::WakeLost(key)
            | Self::Corrupt(key)
            | Self::OriginSpared { key, .. } => Some(key),
            Self::Answered(_) | Self::Breaker(_) | Self::CacheBreaker(_) | Self::CacheFailed { .. } => None,
        }
    }

    /// The same event of another key.
    #[must_use]
    pub(crate) fn of_key(mut self, other: fn(&Key) -> Key) -> Self {
        match &mut self {
            Self::FlightLed { key, .. }
            | Self::FlightEnded { key, .. }
            | Self::LockEnded { key, .. }
            | Self::Written { key, .. }
            | Self::WriteFailed { key, .. }
            | Self::Invalidated(key)
            | Self::CacheNotTold(key)
            | Self::Put { key, .. }
            | Self::EarlyRefresh(key)
            | Self::RefreshFailed(key)
            | Self::LockTimeout(key)
            | Self::LockFallback(key)
            | Self::WakeLost(key)
            | Self::Corrupt(key)
            | Self::OriginSpared { key, .. } => *key = other(key),
            Self::Answered(_) | Self::Breaker(_) | Self::CacheBreaker(_) | Self::CacheFailed { .. } => {}
        }
        self
    }

    /// The flight that it is about, where it is about one.
    #[must_use]
    pub const fn flight(&self) -> Option<FlightId> {
        match self {
            Self::FlightLed { flight, .. }
            | Self::FlightEnded { flight, .. }
            | Self::Written { flight, .. }
            | Self::WriteFailed { flight, .. }
            | Self::Answered(flight) => Some(*flight),
            _ => None,
        }
    }

    /// What else there is to say of it: a cause, how a leader ended, a version and its condition, a layer, a state, an operation and
    /// the class of its failure.
    #[must_use]
    pub fn detail(&self) -> Option<Cow<'static, str>> {
        let detail = match self {
            Self::FlightLed { cause, .. } => cause.name(),
            Self::FlightEnded { end, .. } | Self::LockEnded { end, .. } => end.name(),
            Self::OriginSpared { by, .. } => by.name(),
            Self::Breaker(state) | Self::CacheBreaker(state) => state.name(),
            Self::Written { version: None, .. } => "missing",
            Self::Written { version: Some(version), .. } => return Some(format!("version {version}").into()),
            Self::Put { version, fenced, .. } => {
                let door = if *fenced { "fenced" } else { "open" };
                return Some(format!("version {version} {door}").into());
            }
            Self::CacheFailed { op, class } => return Some(format!("{op} {}", class.name()).into()),
            _ => return None,
        };
        Some(detail.into())
    }

    /// The event of some texts; `None` where they are none of an event. Until when what was put is fresh is in no text.
    #[must_use]
    pub fn of(texts: Texts<'_>, fresh_until: Mono) -> Option<Self> {
        let Texts { event, detail, .. } = texts;
        let key = || texts.key.and_then(|key| Key::new(key).ok());
        let flight = || texts.flight.and_then(|flight| flight.parse().ok());
        let end = || LeaderEnd::ALL.into_iter().find(|end| Some(end.name()) == detail);
        let state = || BreakerState::ALL.into_iter().find(|state| Some(state.name()) == detail);
        Some(match event {
            "flight-led" => {
                let cause = Cause::ALL.into_iter().find(|cause| Some(cause.name()) == detail)?;
                Self::FlightLed { flight: flight()?, key: key()?, cause }
            }
            "flight-ended" => Self::FlightEnded { flight: flight()?, key: key()?, end: end()? },
            "answered" => Self::Answered(flight()?),
            "lock-ended" => Self::LockEnded { key: key()?, end: end()? },
            "written" => {
                let version = match detail? {
                    "missing" => None,
                    detail => Some(detail.strip_prefix("version ")?.parse().ok()?),
                };
                Self::Written { flight: flight()?, key: key()?, version }
            }
            "write-failed" => Self::WriteFailed { flight: flight()?, key: key()? },
            "invalidated" => Self::Invalidated(key()?),
            "cache-not-told" => Self::CacheNotTold(key()?),
            "stored" | "fenced" => {
                let (version, door) = detail?.strip_prefix("version ")?.split_once(' ')?;
                let stored = if event == "stored" { Stored::Stored } else { Stored::Fenced };
                let fenced = [("fenced", true), ("open", false)].into_iter().find(|(name, _)| *name == door)?.1;
                Self::Put { key: key()?, fresh_until, version: version.parse().ok()?, fenced, stored }
            }
            "early-refresh" => Self::EarlyRefresh(key()?),
            "refresh-failed" => Self::RefreshFailed(key()?),
            "lock-timeout" => Self::LockTimeout(key()?),
            "lock-fallback" => Self::LockFallback(key()?),
            "wake-lost" => Self::WakeLost(key()?),
            "corrupt" => Self::Corrupt(key()?),
            "origin-spared" => {
                let by = RefusedBy::ALL.into_iter().find(|by| Some(by.name()) == detail)?;
                Self::OriginSpared { key: key()?, by }
            }
            "breaker" => Self::Breaker(state()?),
            "cache-breaker" => Self::CacheBreaker(state()?),
            "cache-failed" => {
                let (op, class) = detail?.split_once(' ')?;
                let op = OPERATIONS.into_iter().find(|known| *known == op)?;
                Self::CacheFailed { op, class: CacheErrorClass::ALL.into_iter().find(|known| known.name() == class)? }
            }
            _ => return None,
        })
    }

    /// One of each kind, with everything that it can say.
    #[cfg(any(test, feature = "conformance"))]
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let (key, flight) = (Key::of_item(7), FlightId { incarnation: u64::MAX - 3, number: 12 });
        let put = |fenced, stored| {
            let (key, fresh_until) = (key.clone(), Mono(5_123_456_789));
            Self::Put { key, fresh_until, version: 3, fenced, stored }
        };
        let mut events = vec![
            Self::Answered(flight),
            put(true, Stored::Stored),
            put(false, Stored::Fenced),
            Self::EarlyRefresh(key.clone()),
            Self::RefreshFailed(key.clone()),
            Self::LockTimeout(key.clone()),
            Self::LockFallback(key.clone()),
            Self::Corrupt(key.clone()),
            Self::WakeLost(key.clone()),
            Self::Written { flight, key: key.clone(), version: Some(4) },
            Self::Written { flight, key: key.clone(), version: None },
            Self::WriteFailed { flight, key: key.clone() },
            Self::Invalidated(key.clone()),
            Self::CacheNotTold(key.clone()),
        ];
        events.extend(Cause::ALL.map(|cause| Self::FlightLed { flight, key: key.clone(), cause }));
        events.extend(LeaderEnd::ALL.map(|end| Self::FlightEnded { flight, key: key.clone(), end }));
        events.extend(LeaderEnd::ALL.map(|end| Self::LockEnded { key: key.clone(), end }));
        events.extend(RefusedBy::ALL.map(|by| Self::OriginSpared { key: key.clone(), by }));
        events.extend(BreakerState::ALL.map(Self::Breaker));
        events.extend(BreakerState::ALL.map(Self::CacheBreaker));
        for op in OPERATIONS {
            events.extend(CacheErrorClass::ALL.map(|class| Self::CacheFailed { op, class }));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back_from_its_texts() {
        for event in Event::samples() {
            let (flight, detail) = (event.flight().map(|flight| flight.to_string()), event.detail());
            let texts = Texts {
                event: event.name(),
                key: event.key().map(Key::as_str),
                flight: flight.as_deref(),
                detail: detail.as_deref(),
            };
            assert_eq!(Event::of(texts, Mono(5_123_456_789)), Some(event.clone()), "{texts:?}");
            for wrong in
                [Texts { event: "expiry", ..texts }, Texts { detail: Some("?"), key: None, flight: None, ..texts }]
            {
                assert_eq!(Event::of(wrong, Mono(0)), None, "{wrong:?}");
            }
        }
    }
}
