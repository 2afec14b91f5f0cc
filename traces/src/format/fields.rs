//! What the formats have in common: the fields of a row, and the texts of times, numbers and operations.

use crate::bad::RowFlaw;
use crate::row::TraceOp;

/// A second, in nanoseconds.
pub(crate) const S_NS: u64 = 1_000_000_000;
/// The latest time, in seconds: the year 2255. What is later is no time in seconds.
const SECONDS_MAX: u64 = 9_000_000_000;

/// How a trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// `time_s,key[,op[,size[,ttl_s]]]`.
    Csv,
    /// Twitter's published cache traces: `timestamp,key,key size,value size,client,op,TTL`.
    Twitter,
    /// An access log of nginx or Apache, combined or common.
    Combined,
}

impl TraceFormat {
    /// The words for them.
    pub const WORDS: [(&'static str, Self); 3] =
        [("csv", Self::Csv), ("twitter", Self::Twitter), ("combined", Self::Combined)];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, format)| *format == self).map_or("csv", |(word, _)| word)
    }

    /// Whether its times are whole seconds always.
    pub(crate) fn has_whole_seconds(self) -> bool {
        matches!(self, Self::Twitter | Self::Combined)
    }
}

/// A row's fields, before it has a place in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldRow<'a> {
    pub(crate) at_ns: u64,
    pub(crate) key: &'a [u8],
    pub(crate) op: TraceOp,
    pub(crate) size: Option<u32>,
    pub(crate) ttl_ns: Option<u64>,
    pub(crate) failed: bool,
}

/// Why a row is left out that is not wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    /// The expression for keys finds nothing in it.
    NoKey,
    /// Neither a read nor a write: another method, or no request at all.
    NoRequest,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParsedRow<'a> {
    Row(FieldRow<'a>),
    Skip(SkipReason),
    Bad(RowFlaw<'a>),
}

pub(crate) fn flaw<'a>(part: &'static str, found: &'a [u8], remedy: &'static str) -> ParsedRow<'a> {
    ParsedRow::Bad(RowFlaw { part, found, remedy })
}

/// Seconds as whole nanoseconds, digit by digit: nothing is rounded. Digits beyond the ninth are cut off.
pub(crate) fn seconds(text: &[u8]) -> Option<u64> {
    let point = memchr::memchr(b'.', text);
    let (whole, part) = (&text[..point.unwrap_or(text.len())], &text[point.map_or(text.len(), |at| at + 1)..]);
    if whole.is_empty() || (point.is_some() && part.is_empty()) || !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let whole = number(whole).filter(|seconds| *seconds <= SECONDS_MAX)?;
    let digits = &part[..part.len().min(9)];
    let ns = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(whole * S_NS + ns * 10_u64.pow(9 - digits.len() as u32))
}

/// A number without a sign.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// A size in bytes; beyond 4 GiB it is 4 GiB − 1.
pub(crate) fn size(text: &[u8]) -> Option<u32> {
    number(text).map(|size| u32::try_from(size).unwrap_or(u32::MAX))
}

const READS: [&str; 4] = ["get", "gets", "read", "head"];
const WRITES: [&str; 8] = ["set", "put", "write", "add", "replace", "cas", "append", "prepend"];
const DELETES: [&str; 2] = ["delete", "del"];
const COUNTS: [&str; 5] = ["incr", "decr", "increment", "decrement", "count"];

/// What the words for operations are.
pub(crate) const OPERATIONS: &str =
    "write get, gets, read, set, put, write, add, replace, cas, append, prepend, delete, del, incr, decr or count";

/// An operation by its word, in letters of either case.
pub(crate) fn operation(word: &[u8]) -> Option<TraceOp> {
    let is_one_of = |words: &[&str]| words.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(word));
    if is_one_of(&READS) {
        Some(TraceOp::Read)
    } else if is_one_of(&WRITES) {
        Some(TraceOp::Write)
    } else if is_one_of(&DELETES) {
        Some(TraceOp::Delete)
    } else {
        is_one_of(&COUNTS).then_some(TraceOp::Count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_digit_by_digit() {
        for (text, ns) in [
            ("0", Some(0)),
            ("0.000001", Some(1000)),
            ("1583990400.123456789", Some(1_583_990_400_123_456_789)),
            ("12.1234567899", Some(12_123_456_789)),
            ("7.5", Some(7_500_000_000)),
            ("9000000000.999999999", Some(9_000_000_000_999_999_999)),
            // Milliseconds, where seconds should be.
            ("1583990400123", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("-1", None),
            ("1e3", None),
            ("1.5x", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), ns, "{text}");
        }
    }

    #[test]
    fn operations_are_memcached_s() {
        for (word, op) in [
            ("GET", Some(TraceOp::Read)),
            ("gets", Some(TraceOp::Read)),
            ("cas", Some(TraceOp::Write)),
            ("del", Some(TraceOp::Delete)),
            ("incr", Some(TraceOp::Count)),
            ("", None),
            ("peek", None),
        ] {
            assert_eq!(operation(word.as_bytes()), op, "{word}");
        }
    }
}
