//! What is kept of a run whose items are written: which version each answer had, and what became of each write.
//!
//! Answers lie on a tape, 24 bytes each; of a write as much is held as the origin's own ledger holds of it.

use std::collections::BTreeMap;
use std::io;

use evidence::ErrorKind;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use strategies::port::FlightId;

use super::histogram::histogram;
use crate::load::tape::Tape;

/// Which version an answer had, or a client's own write made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeenVersion {
    /// When its request was sent, nanoseconds since t = 0.
    pub began_ns: i64,
    /// Whose it was; `None` where requests come from nobody in particular.
    pub client: Option<u32>,
    /// Of which key.
    pub key: u32,
    /// The version, from 1; 0 where the origin has no such item.
    pub version: u64,
    /// Whether it was written, not read.
    pub own: bool,
}

/// No client.
const NOBODY: u32 = u32::MAX;
/// The bit of a version that was written, not read.
const OWN: u64 = 1 << 63;

impl SeenVersion {
    fn record(&self) -> [u8; 24] {
        let mut record = [0; 24];
        record[..8].copy_from_slice(&self.began_ns.to_be_bytes());
        record[8..12].copy_from_slice(&self.client.unwrap_or(NOBODY).to_be_bytes());
        record[12..16].copy_from_slice(&self.key.to_be_bytes());
        record[16..].copy_from_slice(&(self.version & !OWN | if self.own { OWN } else { 0 }).to_be_bytes());
        record
    }

    fn of(record: &[u8; 24]) -> Self {
        let word = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| record[at + byte]));
        let (clients, version) = (word(8), word(16));
        let (client, key) = ((clients >> 32) as u32, clients as u32);
        Self {
            began_ns: word(0).cast_signed(),
            client: (client != NOBODY).then_some(client),
            key,
            version: version & !OWN,
            own: version & OWN != 0,
        }
    }
}

/// What became of a write that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentWrite {
    /// When it was sent, nanoseconds since t = 0.
    pub sent_ns: i64,
    /// When its answer was whole, or was given up.
    pub done_ns: i64,
    /// What its replica answered.
    pub answer: Result<AcknowledgedWrite, ErrorKind>,
}

/// A write that its replica says is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedWrite {
    /// The version that it made.
    pub version: u64,
    /// Its name; `None` where the answer has none of ours.
    #[serde(with = "as_text")]
    pub flight: Option<FlightId>,
}

/// The versions that were seen, in the order of their seconds; within a second, in the order of their sending.
pub struct VersionTape(Tape<24>);

impl VersionTape {
    /// An empty one, whose file, if it comes to that, has its bytes on the disk of that folder.
    #[must_use]
    pub fn new(folder: &std::path::Path) -> Self {
        Self(Tape::new(folder))
    }

    /// Adds a second's.
    pub(super) fn add(&mut self, mut seen: Vec<SeenVersion>) {
        seen.sort_unstable();
        seen.iter().for_each(|seen| self.0.push(&seen.record()));
    }

    /// Shows all of them.
    ///
    /// # Errors
    /// Where they cannot be read back, and what `visit` says.
    pub fn each(&self, visit: &mut dyn FnMut(SeenVersion) -> io::Result<()>) -> io::Result<()> {
        self.0.each(|record| visit(SeenVersion::of(record)))
    }
}

/// The writes of a second, or of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteCount {
    /// Planned.
    pub planned: u64,
    /// Of these, due and not sent, for want of a connection.
    pub unsent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Failed, and not committed.
    pub failed: u64,
    /// Without an answer that says: they may have been committed.
    pub unknown: u64,
    /// Those that failed or are unknown, by kind.
    pub error_kinds: BTreeMap<ErrorKind, u64>,
}

impl WriteCount {
    /// One that was sent has ended.
    pub(super) fn count(&mut self, write: &SentWrite) {
        match &write.answer {
            Ok(_) => self.acknowledged += 1,
            Err(kind) => {
                *self.error_kinds.entry(*kind).or_insert(0) += 1;
                if kind.may_have_taken_effect() {
                    self.unknown += 1;
                } else {
                    self.failed += 1;
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.planned += other.planned;
        self.unsent += other.unsent;
        self.acknowledged += other.acknowledged;
        self.failed += other.failed;
        self.unknown += other.unknown;
        for (kind, count) in other.error_kinds {
            *self.error_kinds.entry(kind).or_insert(0) += count;
        }
    }

    /// Those that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.acknowledged + self.failed + self.unknown
    }
}

/// What a run's writes left behind at the generator.
pub struct CollectedWrites {
    /// The versions that were seen, in all phases.
    pub seen: VersionTape,
    /// Of the measured phase.
    pub measured: WriteCount,
    /// From the intended send to the answer, nanoseconds, of the acknowledged ones of the measured phase.
    pub times: Histogram<u64>,
    /// Acknowledged in all phases: the name, the key, the version.
    pub acknowledged: Vec<(Option<FlightId>, u32, u64)>,
    /// Unknown in all phases: each may hide one that was committed.
    pub unknown_of_all_phases: u64,
}

impl CollectedWrites {
    /// Nothing yet.
    #[must_use]
    pub fn new(seen: VersionTape) -> Self {
        let (times, measured) = (histogram(), WriteCount::default());
        Self { seen, measured, times, acknowledged: Vec::new(), unknown_of_all_phases: 0 }
    }

    /// Takes in a second.
    pub(super) fn take(&mut self, second: SecondVersions, measured: bool) {
        self.unknown_of_all_phases += second.count.unknown;
        for (write, intended_ns, key) in &second.writes {
            let Ok(AcknowledgedWrite { version, flight }) = write.answer else { continue };
            self.acknowledged.push((flight, *key, version));
            if measured {
                self.times.saturating_record((write.done_ns - intended_ns).max(0).unsigned_abs());
            }
        }
        self.seen.add(second.seen);
        if measured {
            self.measured.add(second.count);
        }
    }
}

/// The same of one second.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SecondVersions {
    pub(super) seen: Vec<SeenVersion>,
    pub(super) count: WriteCount,
    /// (what became of it, when it was intended, which key).
    pub(super) writes: Vec<(SentWrite, i64, u32)>,
}

impl SecondVersions {
    pub(super) fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.count.add(other.count);
        self.writes.extend(other.writes);
    }
}

/// A flight's name as text.
mod as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use strategies::port::FlightId;

    pub(super) fn serialize<S: Serializer>(flight: &Option<FlightId>, to: S) -> Result<S::Ok, S::Error> {
        flight.map(|flight| flight.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<FlightId>, D::Error> {
        let read = |text: String| text.parse().map_err(|()| de::Error::custom("found a flight without a name"));
        Option::<String>::deserialize(from)?.map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_survives_its_tape() {
        let mut tape = VersionTape::new(&std::env::temp_dir());
        let all = [
            SeenVersion { began_ns: -5, client: Some(0), key: 1, version: 0, own: false },
            SeenVersion { began_ns: 7, client: None, key: u32::MAX, version: (1 << 62) + 3, own: true },
            SeenVersion { began_ns: i64::MAX, client: Some(999_999), key: 10_000_000, version: 1, own: false },
        ];
        tape.add(vec![all[2], all[0], all[1]]);
        let mut back = Vec::new();
        tape.each(&mut |seen| {
            back.push(seen);
            Ok(())
        })
        .unwrap();
        assert_eq!(back, all, "in the order of their sending");
    }
}
