//! A file opened: unpacked by what it begins with, not by its name, and its first rows looked at.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::lines::{LINE_BYTES_MAX, Lines};
use crate::error::TraceError;

/// How much of a file is looked at to recognise its format: one line of the longest at least.
const HEAD_BYTES: usize = 2 * LINE_BYTES_MAX;
const BUFFER_BYTES: usize = 256 << 10;
const GZIP: &[u8] = &[0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What other packers' files begin with, their names, and what unpacks them.
const PACKERS: [(&[u8], &str, &str); 4] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -d FILE"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz", "xz -d FILE"),
    (b"BZh", "bzip2", "bzip2 -d FILE"),
    (b"PK\x03\x04", "zip", "unzip FILE"),
];

/// A file that was opened.
pub(crate) struct TraceSource {
    /// From its first line on.
    pub(crate) lines: Lines,
    /// Its beginning, unpacked.
    pub(crate) head: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) whole: bool,
}

/// Opens a file, gzip of several members included.
pub(crate) fn open(path: &Path) -> Result<TraceSource, TraceError> {
    let failed = |source| TraceError::Open { path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path).map_err(failed)?);
    let begins = file.fill_buf().map_err(failed)?;
    if let Some((_, by, remedy)) = PACKERS.iter().find(|(magic, ..)| begins.starts_with(magic)) {
        return Err(TraceError::Packed { path: path.to_owned(), by, remedy });
    }
    let mut text: Box<dyn BufRead + Send> = if begins.starts_with(GZIP) {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let mut head = Vec::new();
    let read = text.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|source| TraceError::Read { path: path.to_owned(), line: 0, source })?;
    let whole = head.len() < HEAD_BYTES;
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    let lines = Lines::new(Box::new(io::Cursor::new(head.clone()).chain(text)));
    Ok(TraceSource { lines, head, whole })
}
