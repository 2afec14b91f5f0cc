//! The replica that an event is aimed at.

use std::fmt;

/// A replica that an event is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaTarget {
    /// `replica-2`: the replica of that number, from 0, as in a plan's items.
    Replica(u32),
    /// `lock-holder`: the replica that holds the hot key's lock or leads its flight when the event comes; replica 0 if
    /// none does.
    LockHolder,
}

impl fmt::Display for ReplicaTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica(number) => write!(f, "replica-{number}"),
            Self::LockHolder => f.write_str("lock-holder"),
        }
    }
}
