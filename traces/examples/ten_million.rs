//! Ten million rows of a known law, written, read and summed up: rows a second and the most memory (`VmHWM`), and with four times as many
//! rows of the same keys again, which must not need more.
//!
//! `cargo run --release -p traces --example ten_million [ROWS [KEYS]]`

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example prints, and fails where it fails")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use traces::forecast::HerdQuestion;
use traces::law::TraceLaw;
use traces::summary::{SummaryOptions, summarise};
use traces::{TraceOptions, TraceReader};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let (rows, keys) = (arguments.next().unwrap_or(10_000_000), arguments.next().unwrap_or(1_000_000));
    let folder = std::env::temp_dir().join(format!("ten-million-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for rows in [rows, 4 * rows] {
        measure(&folder.join("trace.csv"), rows, u32::try_from(keys).expect("32 bits"));
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

fn measure(path: &Path, rows: u64, keys: u32) {
    let law = TraceLaw {
        keys,
        exponent: 0.99,
        per_s: 20_000.0,
        rows,
        write_share: 0.05,
        ttls: vec![Duration::from_secs(60), Duration::from_secs(600)],
        sizes: vec![256, 2048],
        whole_seconds: false,
        seed: 7,
    };
    let started = Instant::now();
    let mut out = BufWriter::new(File::create(path).expect("a file"));
    law.write_csv(&mut out).expect("written");
    out.flush().expect("written");
    drop(out);
    told(&format!("write {rows} rows"), rows, started);

    let started = Instant::now();
    let mut reader = TraceReader::open(path, &TraceOptions::default()).expect("opened");
    while reader.next_row().expect("a row").is_some() {}
    told("read", rows, started);

    let started = Instant::now();
    let herds = Some(HerdQuestion { service: Duration::from_millis(200), ttl: None });
    let mut reader = TraceReader::open(path, &TraceOptions::default()).expect("opened");
    let found = summarise(&mut reader, &SummaryOptions { herds, ..SummaryOptions::default() }).expect("summed up");
    told("summary and forecast", rows, started);
    println!("  {} distinct keys; {}", found.distinct_keys, found.zipf.expect("a fit"));
}

/// `VmHWM` is cleared before each step, so that it is the step's own.
fn told(what: &str, rows: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    println!("{what}: {seconds:.1} s, {:.2} M rows/s, {peak}", rows as f64 / seconds / 1e6);
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
