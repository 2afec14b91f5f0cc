//! A row that waits until its moment is known.

use crate::key::KeyHash;
use crate::row::TraceOp;

/// A row with its time in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PendingRow {
    pub(crate) at_ns: u64,
    pub(crate) line: u64,
    pub(crate) key: KeyHash,
    pub(crate) ttl_ns: Option<u64>,
    pub(crate) size: Option<u32>,
    pub(crate) class: Option<u8>,
    pub(crate) op: TraceOp,
    pub(crate) failed: bool,
    pub(crate) name: Option<Box<[u8]>>,
}
