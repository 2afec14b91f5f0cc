//! How a request that failed is told to its client.

use strategies::port::OriginError;
use strategies::{GetError, Outcome};

/// The HTTP status and the outcome of a request that has no answer.
#[must_use]
pub const fn failure(error: &GetError) -> (u16, Outcome) {
    match error {
        GetError::Shed { .. } | GetError::Refused { .. } | GetError::CacheSpared | GetError::Full => {
            (503, Outcome::Shed)
        }
        GetError::OutOfTime | GetError::Origin { error: OriginError::TimedOut, .. } => (504, Outcome::Error),
        GetError::Origin { .. } | GetError::LeadersVanished => (502, Outcome::Error),
    }
}
