//! Access logs of nginx and Apache, combined or common:
//! `host ident user [10/Oct/2026:13:55:36 -0700] "GET /items/7 HTTP/1.1" 200 2326 "referer" "agent"`.
//!
//! The time is whole seconds with a zone. In the request a quote is escaped (`\"` by Apache, `\x22` by nginx).

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::fields::{FieldRow, ParsedRow, S_NS, SkipReason, flaw, number, size};
use crate::row::TraceOp;

const TIME: &str = "write [10/Oct/2026:13:55:36 -0700], as $time_local and %t do, from 1970 on";
const ROW: &str = "write HOST - USER [TIME] \"REQUEST\" STATUS BYTES …, as the format combined does";
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The time that was read last: rows of one second follow one another, and a calendar is slow.
#[derive(Debug, Default)]
pub(super) struct LastTime(Option<(Vec<u8>, u64)>);

/// A row, and its request line, in which the key is looked for.
pub(super) fn row<'a>(line: &'a [u8], last: &mut LastTime) -> (ParsedRow<'a>, &'a [u8]) {
    parse(line, last).unwrap_or_else(|bad| (bad, &[]))
}

fn parse<'a>(line: &'a [u8], last: &mut LastTime) -> Result<(ParsedRow<'a>, &'a [u8]), ParsedRow<'a>> {
    let whole = || flaw("the row", line, ROW);
    let open = memchr::memchr(b'[', line).ok_or_else(whole)?;
    let rest = &line[open + 1..];
    let close = memchr::memchr(b']', rest).ok_or_else(whole)?;
    let time = &rest[..close];
    let at_ns = last.of(time).ok_or_else(|| flaw("the time", time, TIME))?;
    let rest = rest[close + 1..].trim_ascii_start().strip_prefix(b"\"").ok_or_else(whole)?;
    let (request, rest) = rest.split_at(quote(rest).ok_or_else(whole)?);
    let mut words = rest[1..].split(|b| *b == b' ').filter(|word| !word.is_empty());
    let status = words.next().unwrap_or_default();
    let code = number(status).filter(|code| (100..1000).contains(code));
    let code = code.ok_or_else(|| flaw("the status", status, "write three digits"))?;
    let sent = words.next().unwrap_or_default();
    // Apache's %b says `-` where nothing was sent.
    let bytes = if sent == b"-" { Some(0) } else { size(sent) };
    let bytes = bytes.ok_or_else(|| flaw("the bytes sent", sent, "write a number, or -"))?;
    let Some((op, key)) = asked(request) else { return Ok((ParsedRow::Skip(SkipReason::NoRequest), request)) };
    let row = FieldRow { at_ns, key, op, size: Some(bytes), ttl_ns: None, failed: code >= 500 };
    Ok((ParsedRow::Row(row), request))
}

/// What a request does, and its path without the query.
fn asked(request: &[u8]) -> Option<(TraceOp, &[u8])> {
    let mut words = request.split(|b| *b == b' ');
    let op = match words.next()? {
        b"GET" | b"HEAD" => TraceOp::Read,
        b"PUT" | b"POST" | b"PATCH" | b"DELETE" => TraceOp::Write,
        _ => return None,
    };
    let target = words.next()?;
    let path = &target[..memchr::memchr(b'?', target).unwrap_or(target.len())];
    (!path.is_empty()).then_some((op, path))
}

/// Where the next quote is that no backslash stands before.
fn quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &text[at..])?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
        if at > text.len() {
            return None;
        }
    }
}

impl LastTime {
    fn of(&mut self, text: &[u8]) -> Option<u64> {
        if let Some((known, at_ns)) = &self.0
            && known == text
        {
            return Some(*at_ns);
        }
        let at_ns = time(text)?;
        self.0 = Some((text.to_vec(), at_ns));
        Some(at_ns)
    }
}

/// `10/Oct/2026:13:55:36 -0700`, in nanoseconds after 1970.
fn time(text: &[u8]) -> Option<u64> {
    let two = |at: usize| number(text.get(at..at + 2)?).map(|n| n as i8);
    let marks = [(2, b'/'), (6, b'/'), (11, b':'), (14, b':'), (17, b':'), (20, b' ')];
    if text.len() != 26 || marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let month = MONTHS.iter().position(|month| *month == &text[3..6])? as i8 + 1;
    let year = i16::try_from(number(&text[7..11])?).ok()?;
    // A leap second is the last second of its minute: 60 is none to the calendar.
    let second = two(18)?.min(59);
    let local = DateTime::new(year, month, two(0)?, two(12)?, two(15)?, second, 0).ok()?;
    let (hours, minutes) = (i32::from(two(22)?), i32::from(two(24)?));
    let away = match text[21] {
        b'+' => hours * 3600 + minutes * 60,
        b'-' => -(hours * 3600 + minutes * 60),
        _ => return None,
    };
    let stamp = Offset::from_seconds(away).ok()?.to_timestamp(local).ok()?;
    u64::try_from(stamp.as_second()).ok()?.checked_mul(S_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_a_zone() {
        for (text, s) in [
            ("10/Oct/2000:13:55:36 -0700", Some(971_211_336)),
            ("01/Jan/1970:00:00:00 +0000", Some(0)),
            ("29/Feb/2024:23:59:60 +0000", Some(1_709_251_199)),
            ("30/Feb/2024:00:00:00 +0000", None),
            ("01/Jan/1970:00:00:00 +0100", None),
            ("10/okt/2000:13:55:36 -0700", None),
            ("10/Oct/2000 13:55:36 -0700", None),
            ("10/Oct/2000:13:55:36 -9900", None),
            ("", None),
        ] {
            assert_eq!(time(text.as_bytes()), s.map(|s: u64| s * S_NS), "{text}");
        }
    }

    #[test]
    fn a_quote_may_be_escaped() {
        assert_eq!(quote(br#"GET /a\"b HTTP" 200"#), Some(14));
        assert_eq!(quote(br"GET /a\"), None);
        assert_eq!(quote(br#"GET /a\\" 1"#), Some(8));
    }
}
