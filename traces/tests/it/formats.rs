//! Each format, as it is published, and how it is recognised.

use std::time::Duration;

use traces::TraceOp::{Count, Delete, Read, Write};
use traces::{TraceFormat, TraceOp, TraceOptions, TraceReader};

use crate::common::{clear, file, golden, gzip, read, refused, rows_of};

const MS: u64 = 1_000_000;

type Row = (u64, Vec<u8>, TraceOp, Option<u32>, Option<u64>);

/// A file's rows: nanoseconds, name, operation, size, TTL in milliseconds.
fn rows(name: &str, options: &TraceOptions) -> (Vec<Row>, TraceReader) {
    let mut reader = TraceReader::open(&golden(name), options).unwrap();
    let rows = rows_of(&mut reader).unwrap();
    let ms = |ttl: Duration| ttl.as_millis() as u64;
    let of = |row: traces::TraceRow| (row.at_ns, row.name.unwrap().into(), row.op, row.size, row.ttl.map(ms));
    (rows.into_iter().map(of).collect(), reader)
}

fn row(at_ns: u64, name: &str, op: TraceOp, size: Option<u32>, ttl_ms: Option<u64>) -> Row {
    (at_ns, name.into(), op, size, ttl_ms)
}

#[test]
fn plain_csv() {
    let (found, reader) = rows("plain.csv", &clear());
    assert_eq!((reader.format(), reader.spreads_seconds()), (TraceFormat::Csv, false));
    let strange = (1_499_999_000, b"\xff\xfe".to_vec(), Read, None, None);
    assert_eq!(
        found,
        [
            row(0, "user:1", Read, Some(100), Some(60_000)),
            row(1000, "a,\"b\"", Write, None, Some(250)),
            strange,
            row(1_999_999_000, "user:1", Delete, None, None),
            row(2_249_999_000, "hits", Count, Some(8), None),
        ]
    );
    assert_eq!((reader.counts().bad.rows, reader.counts().bad.bad), (5, 0));
}

#[test]
fn twitter() {
    let (found, reader) = rows("twitter.csv", &clear());
    assert_eq!((reader.format(), reader.spreads_seconds()), (TraceFormat::Twitter, true));
    let hot = "nz:u:eeW511W3dcH3de3d15ec";
    assert_eq!(
        found,
        [
            row(0, hot, Read, Some(304), None),
            row(500 * MS, hot, Write, Some(304), Some(86_400_000)),
            row(1000 * MS, "q:q:1:8WTfjZU14ee", Read, Some(213), None),
            row(1250 * MS, "yDqF,a,3q:1AJrrJ1nnCJ", Read, None, None),
            row(1500 * MS, "3q:1AJrrJ1nnCJKKrnGx1A", Read, Some(27), None),
            row(1750 * MS, "wFe", Count, Some(10), None),
            row(3000 * MS, "wFe", Delete, Some(0), None),
        ]
    );
}

#[test]
fn access_log() {
    let (found, reader) = rows("access.log", &clear());
    assert_eq!((reader.format(), reader.spreads_seconds()), (TraceFormat::Combined, true));
    assert_eq!(
        found,
        [
            row(0, "/items/7", Read, Some(2326), None),
            row(500 * MS, "/about", Read, Some(0), None),
            row(1000 * MS, "/items/8", Read, Some(0), None),
            row(2000 * MS, "/items/7", Write, Some(0), None),
            row(2500 * MS, "/items/8", Write, Some(0), None),
        ]
    );
    let counts = reader.counts();
    assert_eq!((counts.no_request, counts.without_key, counts.bad.bad, counts.moved), (2, 0, 0, 1));
}

#[test]
fn an_expression_finds_the_key() {
    let options = TraceOptions { key: Some("^(?:GET|HEAD|PUT) /items/([0-9]+)".into()), ..clear() };
    let (found, reader) = rows("access.log", &options);
    let names: Vec<&[u8]> = found.iter().map(|row| &row.1[..]).collect();
    assert_eq!(names, [b"7", b"8", b"7"]);
    assert_eq!((reader.counts().without_key, reader.counts().bad.bad), (2, 0));
    // In the other formats it looks into the key.
    let options = TraceOptions { key: Some("^[a-z]+:".into()), ..clear() };
    let (found, reader) = rows("twitter.csv", &options);
    assert_eq!(found.iter().map(|row| &row.1[..]).collect::<Vec<_>>(), [&b"nz:"[..], b"nz:", b"q:"]);
    assert_eq!(reader.counts().without_key, 4);
}

#[test]
fn server_errors_are_told() {
    let mut reader = TraceReader::open(&golden("access.log"), &TraceOptions::default()).unwrap();
    let failed: Vec<bool> = rows_of(&mut reader).unwrap().iter().map(|row| row.failed).collect();
    assert_eq!(failed, [false, true, false, false, false]);
}

#[test]
fn gzip_of_each_reads_alike_in_one_member_or_in_many() {
    for name in ["plain.csv", "twitter.csv", "access.log"] {
        let bytes = std::fs::read(golden(name)).unwrap();
        let plain = read(&bytes, &clear()).unwrap().0;
        assert_eq!(read(&gzip(&bytes), &clear()).unwrap().0, plain, "{name}");
        let (one, other) = bytes.split_at(bytes.len() / 3);
        assert_eq!(read(&[gzip(one), gzip(b""), gzip(other)].concat(), &clear()).unwrap().0, plain, "{name}");
    }
}

#[test]
fn a_byte_order_mark_and_a_missing_last_line_feed_do_no_harm() {
    let (rows, _) = read(b"\xef\xbb\xbftime_s,key\n1,a\n2,b", &clear()).unwrap();
    assert_eq!(rows.iter().map(|row| row.at_ns).collect::<Vec<_>>(), [0, 1_000_000_000]);
}

#[test]
fn what_is_not_recognised_is_refused_with_the_choice() {
    let error = refused(b"hello\nworld\n", &TraceOptions::default());
    assert!(error.contains("the first line is «hello» · say which it is: csv (time_s,key"), "{error}");
    let error = refused(b"", &TraceOptions::default());
    assert!(error.contains("there is no line"), "{error}");
    let half = "1,a\n1,a,1,1,c,get,0\n".repeat(5);
    let error = refused(half.as_bytes(), &TraceOptions::default());
    assert!(error.contains("the first line is «1,a»"), "{error}");
    // Said is believed, and its rows are then bad.
    let said = TraceOptions { format: Some(TraceFormat::Csv), ..TraceOptions::default() };
    let error = refused(b"hello\nworld\n", &said);
    assert!(
        error.contains("2 of 2 rows cannot be used; the first is line 1: the number of columns: found «hello»"),
        "{error}"
    );
}

#[test]
fn other_packers_are_named_with_their_remedy() {
    for (bytes, by) in
        [(&b"\x28\xb5\x2f\xfd...."[..], "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh9", "bzip2"), (b"PK\x03\x04", "zip")]
    {
        let error = refused(bytes, &TraceOptions::default());
        assert!(error.contains(&format!("packed by {by}, allowed: plain text or gzip")), "{error}");
    }
    let missing = TraceReader::open(&file(b"").path().with_extension("none"), &TraceOptions::default());
    assert!(missing.unwrap_err().to_string().ends_with("name a file that can be read"));
}

#[test]
fn settings_out_of_range_are_refused() {
    let s = Duration::from_secs;
    let base = TraceOptions::default;
    for (options, part) in [
        (TraceOptions { speed: 0.0, ..base() }, "speed: found 0, allowed"),
        (TraceOptions { speed: f64::NAN, ..base() }, "speed: found NaN"),
        (TraceOptions { speed: f64::INFINITY, ..base() }, "speed: found inf"),
        (TraceOptions { from: s(5), to: Some(s(5)), ..base() }, "to: found 5s, allowed a time after from"),
        (TraceOptions { disorder: s(3601), ..base() }, "disorder: found 3601s"),
        (TraceOptions { key: Some("(".into()), ..base() }, "key: regex parse error"),
        (TraceOptions { key: Some("(a)(b)".into()), ..base() }, "key: 2 groups · mark the key as the one group"),
        (TraceOptions { key: Some("(a{1000}){1000}".into()), ..base() }, "exceeds size limit"),
    ] {
        let error = refused(b"1,a\n", &options);
        assert!(error.contains(part), "{error}");
    }
}
