//! A tape: records of one size that are written once, one after the other, and read from the beginning as often as one likes.
//!
//! What a long run leaves behind for each origin read must not be held in memory until its end. A tape holds a megabyte; what is
//! more lies in a file without a name in the run's own folder, of which nothing is left behind whatever way the program ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Bytes that are held before they are written.
const HELD_MAX: usize = 1 << 20;

/// Records of `N` bytes.
pub struct Tape<const N: usize> {
    folder: PathBuf,
    file: Option<File>,
    written: u64,
    held: Vec<u8>,
    /// The first thing that went wrong: a full disk. Nothing is written after it, and every reader is told.
    failed: Option<io::Error>,
}

impl<const N: usize> Tape<N> {
    /// An empty tape. Its file, if it comes to that, has its bytes on the disk of that folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), file: None, written: 0, held: Vec::new(), failed: None }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &[u8; N]) {
        if self.held.len() + N > HELD_MAX
            && let Err(error) = self.spill()
        {
            self.failed.get_or_insert(error);
            self.held.clear();
        }
        if self.failed.is_none() {
            self.held.extend_from_slice(record);
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.failed.is_some() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        // A reader may have been elsewhere.
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&self.held)?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    /// Shows all records, in the order in which they were added.
    ///
    /// # Errors
    /// Where one could not be written, or cannot be read back; and what `visit` says.
    pub fn each(&self, mut visit: impl FnMut(&[u8; N]) -> io::Result<()>) -> io::Result<()> {
        if let Some(error) = &self.failed {
            return Err(io::Error::new(error.kind(), format!("the run's rows could not be kept: {error}")));
        }
        let mut chunk = vec![0; (HELD_MAX / N * N).min(usize::try_from(self.written).unwrap_or(usize::MAX))];
        let mut read = 0;
        while read < self.written {
            let length = chunk.len().min(usize::try_from(self.written - read).unwrap_or(usize::MAX));
            let Some(mut file) = self.file.as_ref() else { break };
            file.seek(SeekFrom::Start(read))?;
            file.read_exact(&mut chunk[..length])?;
            read += length as u64;
            chunk[..length].as_chunks().0.iter().try_for_each(&mut visit)?;
        }
        self.held.as_chunks().0.iter().try_for_each(visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back_in_order_as_often_as_one_asks_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut tape = Tape::<8>::new(folder.path());
        let read = |tape: &Tape<8>| {
            let mut next = 0_u64;
            let counted = tape.each(|record| {
                assert_eq!(u64::from_be_bytes(*record), next);
                next += 1;
                Ok(())
            });
            counted.map(|()| next).unwrap()
        };
        let mut count = 0;
        for more in [0, 1, 100_000, 200_000, 3] {
            (count..count + more).for_each(|n: u64| tape.push(&n.to_be_bytes()));
            count += more;
            assert_eq!((read(&tape), read(&tape)), (count, count));
        }
        assert!(tape.held.len() <= HELD_MAX && tape.written > 0, "some of it is on the disk");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_disk_that_takes_nothing_is_told_when_the_rows_are_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut tape = Tape::<1000>::new(folder.path().join("that is not there"));
        (0..5000).for_each(|_| tape.push(&[0; 1000]));
        assert!(tape.held.len() <= HELD_MAX);
        let error = tape.each(|_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("could not be kept"), "{error}");
    }
}
