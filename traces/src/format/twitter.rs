//! Twitter's published cache traces: `timestamp,key,key size,value size,client,op,TTL` (github.com/twitter/cache-trace).
//!
//! The key is what lies between the first comma and the fifth from the end, so that it may have commas itself.

use super::fields::{FieldRow, OPERATIONS, ParsedRow, flaw, number, operation, seconds, size};
use crate::row::TraceOp;

const COLUMNS: usize = 7;
const ROW: &str = "write timestamp,key,key size,value size,client,op,TTL";

/// Whether a line names the columns.
pub(super) fn is_header(line: &[u8]) -> bool {
    let first = line.split(|b| *b == b',').next().unwrap_or_default().trim_ascii();
    let named = [&b"timestamp"[..], b"time"].iter().any(|name| name.eq_ignore_ascii_case(first));
    named && line.iter().filter(|b| **b == b',').count() + 1 == COLUMNS
}

pub(super) fn row(line: &[u8]) -> ParsedRow<'_> {
    let Some(first) = memchr::memchr(b',', line) else { return flaw("the number of columns", line, ROW) };
    let (time, mut rest) = (&line[..first], &line[first + 1..]);
    let mut last: [&[u8]; COLUMNS - 2] = [&[]; COLUMNS - 2];
    for field in last.iter_mut().rev() {
        let Some(comma) = memchr::memrchr(b',', rest) else { return flaw("the number of columns", line, ROW) };
        *field = &rest[comma + 1..];
        rest = &rest[..comma];
    }
    let [key_size, value_size, _client, op, ttl] = last.map(<[u8]>::trim_ascii);
    let Some(at_ns) = seconds(time.trim_ascii()) else { return flaw("the timestamp", time, "write seconds") };
    if rest.is_empty() {
        return flaw("the key", rest, "a key has one byte at least");
    }
    if number(key_size).is_none() {
        return flaw("the key size", key_size, "write a number of bytes");
    }
    let Some(bytes) = size(value_size) else { return flaw("the value size", value_size, "write a number of bytes") };
    let Some(op) = operation(op) else { return flaw("the operation", op, OPERATIONS) };
    let Some(ttl_ns) = seconds(ttl) else { return flaw("the TTL", ttl, "write seconds, 0 where there is none") };
    // A read that missed has a value size of 0.
    let stated = bytes > 0 || op != TraceOp::Read;
    ParsedRow::Row(FieldRow {
        at_ns,
        key: rest,
        op,
        size: stated.then_some(bytes),
        ttl_ns: Some(ttl_ns).filter(|ns| *ns > 0),
        failed: false,
    })
}
