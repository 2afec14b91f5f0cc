//! From what was seen to what is said: the figures of a strategy, computed from the recorder's sums and the two ledgers.
//!
//! Everything here is a pure function of its inputs, so each figure has a test with a small table in it.

mod behind;
mod commits;
mod conditions;
mod counting;
mod events;
mod floor;
mod healed;
mod impact;
mod ledgers;
mod levels;
mod origin;
mod pool;
mod predicted;
mod recovery;
mod round;
mod seen;
mod server;
mod shards;
mod strategy;
mod takeovers;
mod tally;
mod traffic;
mod validity;
mod warmth;
mod written;

pub use conditions::{Against, During, Part, conditions};
pub use counting::{
    CounterSample, CountingTerms, Immortals, ImmortalsSeen, IncrementEnd, IncrementTape, SeenIncrement, counting,
};
pub use events::Timeline;
pub(crate) use events::{Counter, Guards};
pub use floor::Floor;
pub use impact::Impact;
pub use ledgers::{KnownFlights, Received};
pub use origin::{MeasuredRead, per_expiry};
pub use recovery::recovery;
pub use seen::{EventLines, LineLists, ReadList, Reads};
pub use server::server_figures;
pub use shards::shard_figures;
pub use strategy::{Evidence, OriginTally, StrategyFigures, WarmState, figures, origin_row};
pub use takeovers::takeovers;
pub use tally::{AnySecond, Bins, InFlight, WholeSeconds};
pub use validity::{RunFacts, doubts};
pub use warmth::Warmth;
pub use written::{ToldWrites, WriteLedger, WritesSeen, compare_writes, write_row};
