//! A length of time as a SPEC has it.

use std::fmt;
use std::time::Duration;

use crate::kit::time::nanos;
use crate::kit::units::duration_text;

/// A length of time: fixed, or as a multiple of the scenario's TTL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Span {
    Fixed(Duration),
    Ttl(f64),
}

impl Span {
    pub(crate) fn of(self, ttl: Duration) -> Duration {
        match self {
            Self::Fixed(d) => d,
            Self::Ttl(factor) => Duration::from_nanos((nanos(ttl) as f64 * factor).round() as u64),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(d) => f.write_str(&duration_text(*d)),
            Self::Ttl(1.0) => f.write_str("T"),
            Self::Ttl(factor) => write!(f, "{factor}T"),
        }
    }
}
