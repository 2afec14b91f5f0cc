//! What goes between a replica and the shared cache, counted where it is sent and received.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The count of one replica's commands on entries and of these entries' bytes, as they lie in the cache. Keys and what the protocol puts
/// around are not counted.
#[derive(Debug, Default)]
pub struct Traffic {
    commands: AtomicU64,
    read: AtomicU64,
    written: AtomicU64,
}

/// What was counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficCounters {
    /// Commands that read, write or remove entries.
    pub commands: u64,
    /// Bytes of entries that came from the cache.
    pub bytes_read: u64,
    /// Bytes of entries that went to it.
    pub bytes_written: u64,
}

impl Traffic {
    /// A command is sent, with so many bytes of an entry.
    pub fn sent(&self, bytes: u64) {
        self.commands.fetch_add(1, Relaxed);
        self.written.fetch_add(bytes, Relaxed);
    }

    /// So many commands are sent, all of which only read.
    pub fn asked(&self, commands: u64) {
        self.commands.fetch_add(commands, Relaxed);
    }

    /// So many bytes of entries came back.
    pub fn came(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> TrafficCounters {
        TrafficCounters {
            commands: self.commands.load(Relaxed),
            bytes_read: self.read.load(Relaxed),
            bytes_written: self.written.load(Relaxed),
        }
    }
}
