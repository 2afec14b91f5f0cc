//! An increment as the generator saw it, and its form on a tape.

use serde::{Deserialize, Serialize};

use crate::load::tape::Tape;

/// The tape of increments.
pub type IncrementTape = Tape<{ SeenIncrement::BYTES }>;

/// How an increment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncrementEnd {
    /// It was acknowledged.
    Acknowledged {
        /// What the caller was told: what a limiter compares.
        value: u64,
        /// Of which sub-key the server told.
        part: u32,
        /// That sub-key's value; 0 where the server was not asked yet.
        told: u64,
    },
    /// Its answer was lost.
    Unknown,
    /// It was not counted.
    Refused,
}

/// An increment as the generator saw it. Times are nanoseconds since t = 0, by the generator's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenIncrement {
    /// Of which key.
    pub key: u32,
    /// When it was sent.
    pub sent_ns: i64,
    /// When it was answered, or given up.
    pub done_ns: i64,
    /// How it ended.
    pub end: IncrementEnd,
}

const UNKNOWN: u32 = u32::MAX;
const REFUSED: u32 = u32::MAX - 1;

impl SeenIncrement {
    /// Bytes on a tape.
    pub const BYTES: usize = 40;

    /// Its form on a tape.
    #[must_use]
    pub fn record(&self) -> [u8; Self::BYTES] {
        let (part, value, told) = match self.end {
            IncrementEnd::Acknowledged { value, part, told } => (part, value, told),
            IncrementEnd::Unknown => (UNKNOWN, 0, 0),
            IncrementEnd::Refused => (REFUSED, 0, 0),
        };
        let mut record = [0; Self::BYTES];
        record[..4].copy_from_slice(&self.key.to_be_bytes());
        record[4..8].copy_from_slice(&part.to_be_bytes());
        let rest = [self.sent_ns.cast_unsigned(), self.done_ns.cast_unsigned(), value, told];
        record[8..].as_chunks_mut::<8>().0.iter_mut().zip(rest).for_each(|(place, n)| *place = n.to_be_bytes());
        record
    }

    /// Of its form on a tape.
    #[must_use]
    pub fn read(record: &[u8; Self::BYTES]) -> Self {
        let short = |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let long = |at: usize| (u64::from(short(at)) << 32) | u64::from(short(at + 4));
        let end = match short(4) {
            UNKNOWN => IncrementEnd::Unknown,
            REFUSED => IncrementEnd::Refused,
            part => IncrementEnd::Acknowledged { value: long(24), part, told: long(32) },
        };
        Self { key: short(0), sent_ns: long(8).cast_signed(), done_ns: long(16).cast_signed(), end }
    }
}
