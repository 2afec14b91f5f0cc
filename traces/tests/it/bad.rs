//! Bad rows: counted, the first named, more than 1 % refused; and limits.

use std::fmt::Write as _;

use traces::{TraceFormat, TraceOptions, TraceReader};

use crate::common::{clear, file, gzip, read, refused};

fn with_bad(good: usize, bad: &[&str]) -> String {
    let mut text = String::new();
    for n in 0..good {
        writeln!(text, "{n},k").unwrap();
    }
    bad.iter().for_each(|row| writeln!(text, "{row}").unwrap());
    text
}

#[test]
fn a_bad_row_is_named_with_line_and_remedy() {
    for (row, part, found, remedy) in [
        ("1583990400123,k", "the time", "1583990400123", "milliseconds must be divided by 1000"),
        ("x,k", "the time", "x", "write seconds as decimals"),
        ("300,", "the key", "", "one byte at least"),
        ("300,k,peek", "the operation", "peek", "write get, gets, read"),
        ("300,k,get,-5", "the size", "-5", "a number of bytes"),
        ("300,k,get,5,soon", "the TTL", "soon", "seconds as decimals, or nothing"),
        ("300", "the number of columns", "300", "write time_s,key"),
        ("300,k,get,1,1,1", "the number of columns", "300,k,get,1,1,1", "write time_s,key"),
        ("300,\"k", "the quotes", "300,\"k", "close every quote"),
        ("\x1b[31m,k", "the time", "\\u{1b}[31m", "write seconds"),
    ] {
        let (rows, reader) = read(with_bad(200, &[row]).as_bytes(), &clear()).unwrap();
        let bad = reader.counts().bad;
        let first = bad.first.unwrap();
        assert_eq!((rows.len(), bad.rows, bad.bad, first.line), (200, 201, 1, 201), "{row}");
        assert_eq!((first.part, &first.found[..]), (part, found), "{row}");
        assert!(first.remedy.contains(remedy), "{row}: {}", first.remedy);
    }
}

#[test]
fn rows_of_the_other_formats_are_named_too() {
    let twitter = "1,k,1,1,1,get,0\n".repeat(200);
    for (row, part) in [
        ("1,k,1,1,1,get", "the number of columns"),
        ("1,,1,1,1,get,0", "the key"),
        ("1,k,one,1,1,get,0", "the key size"),
        ("1,k,1,big,1,get,0", "the value size"),
        ("1,k,1,1,1,peek,0", "the operation"),
        ("1,k,1,1,1,get,-1", "the TTL"),
        ("now,k,1,1,1,get,0", "the timestamp"),
    ] {
        let (_, reader) = read(format!("{twitter}{row}\n").as_bytes(), &clear()).unwrap();
        assert_eq!(reader.counts().bad.first.unwrap().part, part, "{row}");
    }
    let log = "h - - [10/Oct/2000:20:55:36 +0000] \"GET / HTTP/1.1\" 200 5\n".repeat(200);
    for (row, part) in [
        ("hello", "the row"),
        ("h - - [10/Oct/2000 20:55:36] \"GET / HTTP/1.1\" 200 5", "the time"),
        ("h - - [10/Oct/2000:20:55:36 +0000] GET / 200 5", "the row"),
        ("h - - [10/Oct/2000:20:55:36 +0000] \"GET / HTTP/1.1", "the row"),
        ("h - - [10/Oct/2000:20:55:36 +0000] \"GET / HTTP/1.1\" ok 5", "the status"),
        ("h - - [10/Oct/2000:20:55:36 +0000] \"GET / HTTP/1.1\" 200 many", "the bytes sent"),
        ("h - - [10/Oct/2000:20:55:36 +0000] \"GET / HTTP/1.1\" 200", "the bytes sent"),
    ] {
        let (_, reader) = read(format!("{log}{row}\n").as_bytes(), &clear()).unwrap();
        assert_eq!(reader.counts().bad.first.unwrap().part, part, "{row}");
    }
}

#[test]
fn one_in_a_hundred_is_allowed_and_more_is_refused() {
    let options = TraceOptions::default();
    assert!(read(with_bad(99, &["bad"]).as_bytes(), &options).is_ok());
    let error = refused(with_bad(98, &["bad"]).as_bytes(), &options);
    assert!(error.contains("1 of 99 rows cannot be used; the first is line 99: the number of columns"), "{error}");
    assert!(error.ends_with("more than 1 % is refused: correct the file, or say its format"), "{error}");
}

#[test]
fn of_another_format_nobody_waits_for_the_end() {
    let text = format!("{}{}", with_bad(600, &["bad"; 601]), "this is never read\n".repeat(1000));
    let mut reader = TraceReader::open(file(text.as_bytes()).path(), &TraceOptions::default()).unwrap();
    let error = loop {
        match reader.next_row() {
            Ok(row) => assert!(row.is_some()),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("601 of 1201 rows"), "{error}");
}

#[test]
fn the_whole_file_is_judged_wherever_its_bad_rows_are() {
    let mut early = with_bad(50, &["bad"; 15]);
    (50..2000).for_each(|n| writeln!(early, "{n},k").unwrap());
    let (rows, reader) = crate::common::read(early.as_bytes(), &TraceOptions::default()).unwrap();
    assert_eq!((rows.len(), reader.counts().bad.bad), (2000, 15));
}

#[test]
fn a_line_that_is_too_long_is_one_bad_row() {
    let long = format!("300,{}", "k".repeat(1 << 20));
    let (rows, reader) = read(with_bad(200, &[&long, "301,k"]).as_bytes(), &clear()).unwrap();
    let first = reader.counts().bad.first.unwrap();
    assert_eq!((rows.len(), first.line, first.part), (201, 201, "the line"));
    assert_eq!(first.remedy, "a line has 65536 bytes at most");
    assert_eq!(first.found.chars().count(), 61);
    let longest = format!("300,{}", "k".repeat((64 << 10) - 4));
    assert_eq!(read(with_bad(200, &[&longest]).as_bytes(), &clear()).unwrap().0.len(), 201);
}

#[test]
fn a_gzip_file_that_is_cut_off_is_an_error_after_its_rows() {
    let mut text = String::new();
    let mut key = 1_u64;
    for n in 0..100_000 {
        key = key.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(text, "{n}.5,{key:x}").unwrap();
    }
    let packed = gzip(text.as_bytes());
    let mut reader = TraceReader::open(file(&packed[..packed.len() / 2]).path(), &TraceOptions::default()).unwrap();
    let mut rows = 0;
    let error = loop {
        match reader.next_row() {
            Ok(row) => rows += usize::from(row.is_some()),
            Err(error) => break error.to_string(),
        }
    };
    assert!((20_000..90_000).contains(&rows), "{rows}");
    assert!(error.contains("after line") && error.contains("A gzip file that is cut off"), "{error}");
}

#[test]
fn a_trace_without_rows_is_told() {
    let said = TraceOptions { format: Some(TraceFormat::Csv), ..TraceOptions::default() };
    assert!(refused(b"time_s,key\n", &said).contains("no row at all"));
    let none = TraceOptions { key: Some("^x".into()), ..said };
    assert!(refused(b"1,a\n2,b\n", &none).contains("no row can be used of 2"));
}
