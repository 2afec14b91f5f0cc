//! How copies in a replica's process learn that a key has changed.

use super::wake::Messages;
use super::{BoxFuture, CacheError, Lookup};
use crate::port::key::Key;

/// The way in which a change becomes known to the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The writer publishes the key on a channel. What is published while a subscriber is away is lost to it.
    PubSub,
    /// The writer appends the key to a stream that keeps its last `maxlen` entries, each with the number after the last one's. A reader
    /// that was away reads on where it stopped, and sees by the numbers what it has missed.
    Streams {
        /// At least 1.
        maxlen: u32,
    },
    /// The server pushes every key of the namespace that is written (RESP3 `CLIENT TRACKING` with `BCAST` and a prefix).
    Tracking,
    /// The server pushes a key that this replica has read, once, when it is next written (`CLIENT TRACKING` in its default mode).
    TrackingDefault,
}

impl Bus {
    /// All of them, in the order of a near layer's words.
    pub const ALL: [Self; 4] = [Self::PubSub, Self::Streams { maxlen: 1 }, Self::Tracking, Self::TrackingDefault];

    /// Its word in a SPEC.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PubSub => "pubsub",
            Self::Streams { .. } => "streams",
            Self::Tracking => "tracking",
            Self::TrackingDefault => "tracking-default",
        }
    }

    /// Whether a writer has to tell of a change; where not, the server sees the write itself.
    #[must_use]
    pub const fn is_told_by_writers(self) -> bool {
        matches!(self, Self::PubSub | Self::Streams { .. })
    }
}

/// Invalidations of a namespace's keys.
pub trait Invalidations: Send + Sync {
    /// Hears every change from when this returned on, and where some may have been missed ([`Heard::Lost`](super::Heard)): what is
    /// kept because nothing was heard about it is doubtful then. The stream ends with its hearer. `None` where nobody can listen now.
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>>;

    /// Tells all replicas, this one included, that a key has changed. Does nothing on a bus of the server's own.
    ///
    /// # Errors
    /// [`CacheError`] where it may not have been told.
    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>>;

    /// Reads a key of the shared cache so that the server pushes its next change ([`Bus::TrackingDefault`]).
    ///
    /// # Errors
    /// As [`Cache::get`](super::Cache::get).
    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>>;
}
