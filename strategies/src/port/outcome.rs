//! How an answer was made, and the one mapping to and from the `Cache-Status` header (RFC 9211).
//!
//! The header is the only place where a client is told an outcome; nothing else in the lab writes or reads it.

use std::fmt::Write as _;

use super::cache::Level;

/// How an answer was made. Every request has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Served from a cache, within TTL.
    Hit,
    /// Served from a cache, past TTL and within hard life.
    Stale,
    /// Answered by somebody else's origin read.
    Wait,
    /// This request's flight read the origin.
    Load,
    /// Refused by the strategy.
    Shed,
    /// Failed.
    Error,
}

impl Outcome {
    /// All of them, in the order of the records.
    pub const ALL: [Self; 6] = [Self::Hit, Self::Stale, Self::Wait, Self::Load, Self::Shed, Self::Error];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Wait => "wait",
            Self::Load => "load",
            Self::Shed => "shed",
            Self::Error => "error",
        }
    }

    /// The header's value: the cache's name, `lab-near` for a copy in the process, and what it did. `ttl_s` is the freshness left in
    /// whole seconds, rounded down, and only told for answers that came from a cache.
    #[must_use]
    pub fn cache_status(self, level: Level, ttl_s: i64) -> String {
        let mut text = String::with_capacity(48);
        text.push_str(match level {
            Level::Near => "lab-near; ",
            Level::Shared => "lab; ",
        });
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Hit => write!(text, "hit; ttl={ttl_s}"),
            Self::Stale => write!(text, "hit; ttl={ttl_s}; detail=stale"),
            Self::Load => write!(text, "fwd=miss; stored"),
            Self::Wait => write!(text, "fwd=miss; collapsed"),
            Self::Shed => write!(text, "fwd=miss; detail=shed"),
            Self::Error => write!(text, "fwd=miss; detail=origin-error"),
        };
        text
    }

    /// Reads the header's value as the lab's replicas write it; `None` where it is not theirs. The level is that of the cache which
    /// answered, or was asked last.
    #[must_use]
    pub fn from_cache_status(value: &str) -> Option<(Self, Level)> {
        let mut parts = value.split(';').map(str::trim);
        let level = match parts.next() {
            Some("lab") => Level::Shared,
            Some("lab-near") => Level::Near,
            _ => return None,
        };
        let (mut hit, mut miss, mut stored, mut collapsed, mut ttl, mut detail) = (false, false, false, false, 0, "");
        for part in parts {
            match part.split_once('=') {
                None if part == "hit" => hit = true,
                None if part == "stored" => stored = true,
                None if part == "collapsed" => collapsed = true,
                Some(("fwd", "miss")) => miss = true,
                Some(("ttl", text)) => ttl = text.parse::<i64>().ok()?,
                Some(("detail", text)) => detail = text,
                _ => return None,
            }
        }
        let outcome = match (hit, miss, detail) {
            (true, false, "stale") => Self::Stale,
            (true, false, "") if ttl < 0 => Self::Stale,
            (true, false, "") => Self::Hit,
            (false, true, "shed") => Self::Shed,
            (false, true, "origin-error") => Self::Error,
            (false, true, "") if stored => Self::Load,
            (false, true, "") if collapsed => Self::Wait,
            _ => return None,
        };
        Some((outcome, level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_contract_to_the_letter() {
        for (outcome, ttl, header) in [
            (Outcome::Hit, 3, "lab; hit; ttl=3"),
            (Outcome::Stale, -2, "lab; hit; ttl=-2; detail=stale"),
            (Outcome::Load, 5, "lab; fwd=miss; stored"),
            (Outcome::Wait, 5, "lab; fwd=miss; collapsed"),
            (Outcome::Shed, 0, "lab; fwd=miss; detail=shed"),
            (Outcome::Error, 0, "lab; fwd=miss; detail=origin-error"),
        ] {
            assert_eq!(outcome.cache_status(Level::Shared, ttl), header);
            assert_eq!(Outcome::from_cache_status(header), Some((outcome, Level::Shared)));
        }
        assert_eq!(Outcome::Hit.cache_status(Level::Near, 3), "lab-near; hit; ttl=3");
        let near = Outcome::from_cache_status("lab-near; hit; ttl=-2; detail=stale");
        assert_eq!(near, Some((Outcome::Stale, Level::Near)));
    }

    #[test]
    fn what_is_not_the_labs_is_nothing() {
        for text in ["", "nginx; hit", "lab", "lab; hit; ttl=x", "lab; fwd=miss", "lab; hit; fwd=miss", "lab; bogus"] {
            assert_eq!(Outcome::from_cache_status(text), None, "{text:?}");
        }
    }
}
