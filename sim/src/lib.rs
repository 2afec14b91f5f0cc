//! The in-process worlds: the memory cache, and virtual time with everything that a fleet meets in it.
//!
//! | idea | where |
//! |---|---|
//! | the executor, its clocks | [`World`], [`VirtualClock`] |
//! | how long a message takes, and whether it arrives | [`Link`], [`Path`] |
//! | the shared cache as a server that can fail | [`CacheServer`], [`CachePort`], [`MemoryCache`] |
//! | the origin with its places, queue and ledger | [`SimOrigin`] |
//! | replicas, and what can be done to them | [`Fleet`] |
//! | clients, as many as a million | [`Crowd`] |
//! | a scenario's events | [`Chaos`] |
//! | one strategy's run | [`simulate()`] |
//! | what must hold, checked fact by fact | [`invariants`] |
//! | small worlds drawn from a seed, in which things go wrong | [`fuzz`] |
//!
//! Everything here stands behind the ports of `strategies` and knows neither sockets nor Redis. Time comes from the
//! clock port only, so the same memory cache serves the local lab in real time and a test in virtual time.

mod cache;
mod chaos;
mod crowd;
mod fleet;
pub mod fuzz;
pub mod invariants;
mod origin;
mod simulate;
mod world;

pub use cache::link::{Draws, Link, LinkLatency, Path};
pub use cache::memory::{MemoryCache, Snapshot};
pub use cache::work::ServerWork;
pub use cache::{CachePort, CacheServer, Effect, SimConnections, Watcher};
pub use chaos::{Chaos, Happened};
pub use crowd::{Crowd, Reply, Request, Witness};
pub use fleet::{Fleet, FleetSettings, Latencies, SimReplica};
pub use origin::ledger::ReadSink;
pub use origin::port::OriginPort;
pub use origin::{Read, SimOrigin, item};
pub use simulate::{CacheSampler, ShardCommands, Simulation, SimulationError, SimulationResult, Tick, simulate};
pub use world::{EPOCH_NS, Handle, NOBODY, Sleep, VirtualClock, World};
