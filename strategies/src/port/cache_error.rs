//! How a cache operation can fail.

/// How a cache operation failed. Strategies decide by the class, never by the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheErrorClass {
    /// Not reachable: refused, reset, gone.
    Down,
    /// No answer within the operation's budget. The operation may have taken effect all the same.
    Slow,
    /// Reads work, writes are refused (out of memory, read-only disk).
    Full,
    /// The data is elsewhere (a replica, another cluster node, still loading).
    Moved,
    /// Not allowed (no password, no permission).
    Denied,
    /// Anything else that the server said.
    Refused,
    /// The replica's own breaker is open. The server was not asked.
    Open,
    /// The same, and the request is to be refused.
    Shed,
    /// No connection of the replica's pool came free in time. The server was not asked.
    Exhausted,
}

impl CacheErrorClass {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Down,
        Self::Slow,
        Self::Full,
        Self::Moved,
        Self::Denied,
        Self::Refused,
        Self::Open,
        Self::Shed,
        Self::Exhausted,
    ];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Full => "full",
            Self::Moved => "moved",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Shed => "shed",
            Self::Exhausted => "exhausted",
        }
    }
}

/// A cache operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cache is {}: {message}", class.name())]
pub struct CacheError {
    /// What kind of failure.
    pub class: CacheErrorClass,
    /// What the adapter saw.
    pub message: String,
}

impl CacheError {
    /// Whether there was no answer in time, or no connection to ask by: the same may do a moment later.
    #[must_use]
    pub fn is_late(&self) -> bool {
        matches!(self.class, CacheErrorClass::Slow | CacheErrorClass::Exhausted)
    }
}
