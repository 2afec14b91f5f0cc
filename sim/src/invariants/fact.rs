//! What a log says: one fact after another.

use strategies::counter::{CountAnswer, CountError};
use strategies::port::Event;
use strategies::{GetError, Key, Served};

use super::troubles::Active;
use crate::cache::Effect;
use crate::origin::Read;

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Fact {
    /// When, nanoseconds.
    pub at_ns: i64,
    /// At or by which replica, where it is one's.
    pub node: Option<u16>,
    /// What.
    pub what: FactKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum FactKind {
    /// A request came.
    Asked {
        /// Its number.
        request: u32,
        /// For what.
        key: Key,
        /// Whether it came after everything had healed.
        probe: bool,
    },
    /// A request is over.
    Answered {
        /// Its number.
        request: u32,
        /// How.
        end: End,
    },
    /// Clients sent so many first attempts and retries.
    Sent {
        /// First attempts.
        first: u64,
        /// Retries.
        retries: u64,
    },
    /// A strategy told of something.
    Told(Event),
    /// The origin committed a write, and made this version of it.
    Committed {
        /// Of what.
        key: Key,
        /// Which.
        version: u64,
    },
    /// A client was told that its write was committed.
    Wrote {
        /// Of what.
        key: Key,
        /// The version that it made.
        version: u64,
    },
    /// Something took effect in the cache.
    Cache(Effect),
    /// Something began to go wrong.
    Trouble(Active),
    /// A row of the origin's ledger, told when everything is over, in the order in which reads arrived.
    Read(Read),
    /// Told when everything is over: the most copies that a replica had in its process at a time.
    Kept(u64),
    /// Everything is over; so many tasks go on.
    Over(usize),
}

/// How a request ended.
#[derive(Debug, Clone)]
pub enum End {
    /// With its replica's answer.
    Answer(Result<Served, GetError>),
    /// With its replica's answer to an increment.
    Count(Result<CountAnswer, CountError>),
    /// Its client went away.
    Gone,
    /// Its replica died over it.
    Reset,
    /// Its replica was dead.
    Refused,
    /// It never got an answer.
    Never,
}
