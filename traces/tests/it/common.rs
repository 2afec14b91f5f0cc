//! A trace on the disk, and its rows.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;
use traces::key::KeyNames;
use traces::law::TraceLaw;
use traces::{TraceError, TraceOptions, TraceReader, TraceRow};

pub(crate) fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub(crate) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With names in clear.
pub(crate) fn clear() -> TraceOptions {
    TraceOptions { names: KeyNames::Clear, ..TraceOptions::default() }
}

/// All rows.
pub(crate) fn rows_of(reader: &mut TraceReader) -> Result<Vec<TraceRow>, TraceError> {
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

pub(crate) fn read(bytes: &[u8], options: &TraceOptions) -> Result<(Vec<TraceRow>, TraceReader), TraceError> {
    let mut reader = TraceReader::open(file(bytes).path(), options)?;
    Ok((rows_of(&mut reader)?, reader))
}

/// The moments of a trace's rows, nanoseconds.
pub(crate) fn moments(bytes: &[u8], options: &TraceOptions) -> Vec<u64> {
    read(bytes, options).unwrap().0.iter().map(|row| row.at_ns).collect()
}

pub(crate) fn refused(bytes: &[u8], options: &TraceOptions) -> String {
    read(bytes, options).map(|(rows, _)| rows.len()).unwrap_err().to_string()
}

pub(crate) fn law() -> TraceLaw {
    TraceLaw {
        keys: 10_000,
        exponent: 1.0,
        per_s: 1000.0,
        rows: 200_000,
        write_share: 0.0,
        ttls: vec![Duration::from_secs(5)],
        sizes: vec![256],
        whole_seconds: false,
        seed: 1,
    }
}

pub(crate) fn written(law: &TraceLaw) -> NamedTempFile {
    let mut bytes = Vec::new();
    law.write_csv(&mut bytes).unwrap();
    file(&bytes)
}
