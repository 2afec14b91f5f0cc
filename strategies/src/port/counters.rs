//! Counters in the shared cache: numbers with a life. One command is one round trip, so that two of them can be parted by anything.

use std::time::Duration;

use super::{BoxFuture, CacheError};
use crate::port::key::Key;

/// One command on one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterCommand {
    /// `GET`: the value, or `None` where there is none.
    Read,
    /// `SET value PX life`: the value, whatever was there.
    Set(i64, Duration),
    /// `SET value PX life NX`: the value, or `None` where the key was there and is as it was.
    SetNew(i64, Duration),
    /// `INCRBY`: the value after it. A key that was not there begins at 0 and has no end.
    Add(i64),
    /// `PEXPIRE`: the value, as the key has it, is not told: 1, or `None` where the key is not there.
    Expire(Duration),
    /// `MULTI`, `SET 0 PX life NX`, `INCRBY`, `EXEC`, sent together: the value after it.
    Transaction(i64, Duration),
    /// `INCRBY` and, where the key is new, `PEXPIRE`, in one script: the value after it. With `repair` also where the key has no end.
    Script {
        /// What is added.
        by: i64,
        /// How long the key lives from its first increment on.
        life: Duration,
        /// Whether a key that has no end gets one.
        repair: bool,
    },
    /// `INCREX … PX life ENX` (Redis 8.8): the increment, and an end where the key has none: the value after it.
    Increx(i64, Duration),
}

impl CounterCommand {
    /// All their names.
    pub const NAMES: [&'static str; 8] =
        ["read-counter", "set-counter", "set-new", "add", "expire", "transaction", "script", "increx"];

    /// Its name in records: one of [`crate::port::OPERATIONS`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        let at = match self {
            Self::Read => 0,
            Self::Set(..) => 1,
            Self::SetNew(..) => 2,
            Self::Add(_) => 3,
            Self::Expire(_) => 4,
            Self::Transaction(..) => 5,
            Self::Script { .. } => 6,
            Self::Increx(..) => 7,
        };
        Self::NAMES[at]
    }

    /// Whether it leaves everything as it was.
    #[must_use]
    pub const fn only_reads(self) -> bool {
        matches!(self, Self::Read)
    }
}

/// What the server holds of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldCounter {
    /// Its value.
    pub value: i64,
    /// How long it still lives; `None` where it has no end: nothing will ever begin its next window.
    pub left: Option<Duration>,
}

/// Counters in the shared cache. Each operation ends within its own budget (100 ms for a networked one).
pub trait CounterServer: Send + Sync {
    /// Carries out one command: what it says is with the command. Lives are counted in whole milliseconds, at least one.
    fn command<'a>(&'a self, key: &'a Key, command: CounterCommand) -> BoxFuture<'a, Result<Option<i64>, CacheError>>;

    /// Value and life at one moment (`GET` and `PTTL` in one transaction): what a run samples. `None` where the key is not there.
    fn look<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<HeldCounter>, CacheError>>;
}
