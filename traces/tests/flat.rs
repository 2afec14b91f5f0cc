//! A trace that unpacks to much more than its size takes no more memory for that. Alone in its process: memory is counted.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]
#![cfg(target_os = "linux")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;
use traces::{TraceFormat, TraceOptions, TraceReader};

#[test]
fn what_unpacks_to_a_thousand_times_its_size_is_read_as_a_stream() {
    // A single line of 100 MB, and after it a row.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"1,").unwrap();
    for _ in 0..100 {
        packed.write_all(&[b'k'; 1 << 20]).unwrap();
    }
    packed.write_all(b"\n2,k\n").unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 2 << 20, "{}", packed.len());
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&packed).unwrap();
    let said = TraceOptions { format: Some(TraceFormat::Csv), ..TraceOptions::default() };
    let before = peak_kib();
    let mut reader = TraceReader::open(file.path(), &said).unwrap();
    assert!(reader.next_row().is_err() || reader.counts().bad.bad == 1);
    let more = peak_kib().saturating_sub(before);
    assert!(more < 32 << 10, "{more} KiB more than {before}");
}

/// The most memory that this process ever had, KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
