//! Lines of bounded length: of a longer one only the beginning is kept, whatever its length.

use std::io::{self, BufRead};

/// The longest line that is read, in bytes, its end not counted.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 10;

/// A line.
pub(crate) struct TraceLine<'a> {
    /// From 1.
    pub(crate) number: u64,
    /// Without its end; of one that is too long, its beginning.
    pub(crate) bytes: &'a [u8],
    pub(crate) too_long: bool,
}

/// A stream as lines.
pub(crate) struct Lines {
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    /// Lines that were read to their end.
    number: u64,
}

impl Lines {
    pub(crate) fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self { input, line: Vec::new(), number: 0 }
    }

    /// The last line that was read to its end.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or nothing at the end. The last one need not end with a line feed.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<TraceLine<'_>>> {
        self.line.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let piece = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            if piece.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', piece);
            let text = &piece[..end.unwrap_or(piece.len())];
            // One byte more for a carriage return.
            let room = LINE_BYTES_MAX + 1 - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            too_long |= text.len() > room;
            let used = text.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        let bytes = without_end(&self.line);
        Ok(Some(TraceLine { number: self.number, bytes, too_long: too_long || bytes.len() > LINE_BYTES_MAX }))
    }
}

/// Without a carriage return at its end.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn lines(text: &[u8], capacity: usize) -> Vec<(u64, usize, bool)> {
        let mut lines = Lines::new(Box::new(BufReader::with_capacity(capacity, io::Cursor::new(text.to_vec()))));
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.number, line.bytes.len(), line.too_long));
        }
        found
    }

    #[test]
    fn lines_end_where_they_end() {
        for capacity in [1, 2, 8192] {
            assert_eq!(lines(b"a\nbc\r\n\nd", capacity), [(1, 1, false), (2, 2, false), (3, 0, false), (4, 1, false)]);
            assert_eq!(lines(b"", capacity), []);
            assert_eq!(lines(b"\n", capacity), [(1, 0, false)]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_read() {
        let text = [&vec![b'x'; 5 * LINE_BYTES_MAX][..], b"\nok\n", &vec![b'y'; LINE_BYTES_MAX], b"\r\n"].concat();
        let found = lines(&text, 8192);
        assert_eq!(found[0], (1, LINE_BYTES_MAX + 1, true));
        assert_eq!(&found[1..], [(2, 2, false), (3, LINE_BYTES_MAX, false)]);
    }
}
