//! What a replica's answer says of an increment.

use app::wire::headers::COUNT_HEADER;
use evidence::ErrorKind;
use hyper::header::HeaderName;
use hyper::{HeaderMap, StatusCode};
use strategies::Outcome;
use strategies::time::Mono;

use crate::load::measure::IncrementEnd;
use crate::load::record::Answer;

/// An increment that is over: as a request, as an increment, and when.
pub(super) struct EndedIncrement {
    pub(super) answer: Answer,
    pub(super) end: IncrementEnd,
    pub(super) done: Mono,
}

/// What a replica's answer says of an increment.
pub(super) fn told(
    answered: Result<(StatusCode, HeaderMap), ErrorKind>,
) -> Result<IncrementEnd, (ErrorKind, IncrementEnd)> {
    let (status, headers) = match answered {
        Ok(answer) => answer,
        // Nobody had it who could have counted.
        Err(kind) if kind.found_nobody() => return Err((kind, IncrementEnd::Refused)),
        Err(kind) => return Err((kind, IncrementEnd::Unknown)),
    };
    let said = headers.get(const { HeaderName::from_static(COUNT_HEADER) }).and_then(|said| said.to_str().ok());
    let numbers: Vec<u64> = said.into_iter().flat_map(|said| said.split(' ')).map_while(|n| n.parse().ok()).collect();
    match (status, numbers.as_slice()) {
        (status, [value, part, told]) if status.is_success() => {
            Ok(IncrementEnd::Acknowledged { value: *value, part: u32::try_from(*part).unwrap_or(0), told: *told })
        }
        (status, [value]) if status.is_success() => Ok(IncrementEnd::Acknowledged { value: *value, part: 0, told: 0 }),
        // It says yes, and not what it did.
        (status, _) if status.is_success() => Err((ErrorKind::Protocol, IncrementEnd::Unknown)),
        (StatusCode::GATEWAY_TIMEOUT, _) => Err((ErrorKind::Http(status.as_u16()), IncrementEnd::Unknown)),
        (status, _) => Err((ErrorKind::Http(status.as_u16()), IncrementEnd::Refused)),
    }
}

/// An increment's answer as a request's: where it is good nothing says how it was made.
pub(super) fn answer(sent_ns: i64, done_ns: i64, error: Option<ErrorKind>) -> Answer {
    Answer {
        sent_ns,
        done_ns,
        outcome: error.map(|_| Outcome::Error),
        near: false,
        connection: None,
        error,
        flight: None,
        version: None,
        overage_us: 0,
        moved_on: false,
        attempts: 1,
        unpaid: false,
        resent: 0,
    }
}
