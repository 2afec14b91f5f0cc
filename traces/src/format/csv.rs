//! Plain CSV: `time_s,key[,op[,size[,ttl_s]]]`.
//!
//! Split here and not by a library for CSV: a line is a row, so that a line can be named and is bounded, and a key is any bytes.

use super::fields::{FieldRow, OPERATIONS, ParsedRow, flaw, number, operation, seconds, size};
use crate::row::TraceOp;

const COLUMNS_MAX: usize = 5;
/// What a header may call each column.
const HEADER: [&[&str]; COLUMNS_MAX] = [
    &["time_s", "time", "timestamp", "t"],
    &["key"],
    &["op", "operation"],
    &["size", "size_bytes", "value_size"],
    &["ttl_s", "ttl"],
];
const TIME: &str = "write seconds as decimals, at most 9000000000 (milliseconds must be divided by 1000)";
const ROW: &str = "write time_s,key[,op[,size[,ttl_s]]]; a key with commas in quotes";

/// Whether a line names the columns.
pub(super) fn is_header(line: &[u8]) -> bool {
    let names: Vec<String> =
        line.split(|b| *b == b',').map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
    let fits = |(name, allowed): (&String, &&[&str])| allowed.contains(&name.as_str());
    (2..=COLUMNS_MAX).contains(&names.len()) && names.iter().zip(&HEADER).all(fits)
}

/// A row; what stands in quotes is put into `unquoted`.
pub(super) fn row<'a>(line: &'a [u8], unquoted: &'a mut Vec<u8>) -> ParsedRow<'a> {
    let mut fields: [&[u8]; COLUMNS_MAX] = [&[]; COLUMNS_MAX];
    let columns = if memchr::memchr(b'"', line).is_none() {
        split(line, &mut fields)
    } else {
        match unquote(line, unquoted) {
            Some(ends) => cut(unquoted, &ends, &mut fields),
            None => {
                return flaw("the quotes", line, "close every quote before a comma, and double those within a field");
            }
        }
    };
    if !(2..=COLUMNS_MAX).contains(&columns) {
        return flaw("the number of columns", line, ROW);
    }
    fields_row(fields)
}

fn fields_row(fields: [&[u8]; COLUMNS_MAX]) -> ParsedRow<'_> {
    let [time, key, op, bytes, ttl] = fields;
    let Some(at_ns) = seconds(time.trim_ascii()) else { return flaw("the time", time, TIME) };
    if key.is_empty() {
        return flaw("the key", key, "a key has one byte at least");
    }
    let op = op.trim_ascii();
    let Some(op) = (if op.is_empty() { Some(TraceOp::Read) } else { operation(op) }) else {
        return flaw("the operation", op, OPERATIONS);
    };
    let (bytes, ttl) = (bytes.trim_ascii(), ttl.trim_ascii());
    if !bytes.is_empty() && number(bytes).is_none() {
        return flaw("the size", bytes, "write a number of bytes, or nothing");
    }
    let ttl_ns = seconds(ttl);
    if !ttl.is_empty() && ttl_ns.is_none() {
        return flaw("the TTL", ttl, "write seconds as decimals, or nothing");
    }
    ParsedRow::Row(FieldRow { at_ns, key, op, size: size(bytes), ttl_ns: ttl_ns.filter(|ns| *ns > 0), failed: false })
}

/// The fields of a line without quotes; how many there are.
fn split<'a>(line: &'a [u8], fields: &mut [&'a [u8]; COLUMNS_MAX]) -> usize {
    let (mut columns, mut from) = (0, 0);
    for end in memchr::memchr_iter(b',', line).chain([line.len()]) {
        if let Some(field) = fields.get_mut(columns) {
            *field = &line[from..end];
        }
        columns += 1;
        from = end + 1;
    }
    columns
}

/// Takes the quotes out: the fields one after the other, and where each ends.
fn unquote(line: &[u8], text: &mut Vec<u8>) -> Option<Vec<usize>> {
    text.clear();
    let (mut ends, mut rest) = (Vec::new(), line);
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let quote = memchr::memchr(b'"', rest)?;
                text.extend_from_slice(&rest[..quote]);
                rest = &rest[quote + 1..];
                let Some(after) = rest.strip_prefix(b"\"") else { break };
                text.push(b'"');
                rest = after;
            }
        } else {
            let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
            text.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        if ends.len() <= COLUMNS_MAX {
            ends.push(text.len());
        }
        match rest {
            [] => return Some(ends),
            [b',', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

fn cut<'a>(text: &'a [u8], ends: &[usize], fields: &mut [&'a [u8]; COLUMNS_MAX]) -> usize {
    let mut from = 0;
    for (field, end) in fields.iter_mut().zip(ends) {
        *field = &text[from..*end];
        from = *end;
    }
    ends.len()
}
