//! What a request does.

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `GET /items/{key}`.
    Get,
    /// `PUT /items/{key}`.
    Put,
    /// `POST /counters/{key}`.
    Count,
}
