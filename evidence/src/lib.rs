//! What the witnesses of a run say, in every lab: the replicas' events, the origin's reads, counts, and how each part fared.
//!
//! The real programs send these types over the wire, a simulation fills them in, and measures and checks read nothing else.

mod cache;
mod counts;
mod error_kind;
mod event_line;
mod failure;
mod heartbeat;
mod origin_fault;
mod origin_read;
mod origin_write;
mod stack_cache;

pub use cache::CacheStatus;
pub use counts::{
    CommandTimes, NearCounts, OriginCounters, PoolCounts, RedirectCounts, ReplicaCounters, TrafficCounts,
};
pub use error_kind::ErrorKind;
pub use event_line::{EventLine, ReplicaEvents};
pub use failure::failure;
pub use heartbeat::{CacheWatched, ClockStep, Heartbeat, LONG_SILENCE, Silence};
pub use origin_fault::OriginFault;
pub use origin_read::{OriginRead, ReadEnd};
pub use origin_write::OriginWrite;
pub use stack_cache::StackCache;
