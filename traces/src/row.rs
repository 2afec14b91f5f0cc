//! A row of a trace, whatever format it was written in.

use std::time::Duration;

use crate::key::KeyHash;

/// What a request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceOp {
    /// It read the key.
    Read,
    /// It gave the key a value.
    Write,
    /// It took the key away.
    Delete,
    /// It changed a counter.
    Count,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// When it came: nanoseconds after the first row (or after `from`), divided by the speed. Rows come in the order of time.
    pub at_ns: u64,
    /// Which key, as a seeded hash of its name.
    pub key: KeyHash,
    /// What it did.
    pub op: TraceOp,
    /// The value's size in bytes, at most 4 GiB − 1; `None` where neither the row nor its class states one.
    pub size: Option<u32>,
    /// The entry's TTL, not divided by the speed; `None` where neither the row nor its class states one.
    pub ttl: Option<Duration>,
    /// The class that the key's name fits, from 1 on; `None` where there is none.
    pub class: Option<u8>,
    /// Whether the server answered it with an error of its own (5xx).
    pub failed: bool,
    /// The key's name, or its pseudonym, where that was asked for.
    pub name: Option<Box<[u8]>>,
    /// The line that it stands in, from 1.
    pub line: u64,
}
