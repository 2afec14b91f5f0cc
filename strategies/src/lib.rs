//! Cache-stampede strategies as layers over ports, with no clock, no runtime and no I/O of their own.
//!
//! A world supplies [`port`]s; a [`Stack`] of layers, built from a [`Spec`], rewrites them; its policy
//! turns them into answers; every answer ([`Served`]) says how it was made. The same compiled code runs over Redis and
//! over memory, in real time and in virtual time, because it sees time, randomness, background work and I/O through the
//! ports only. `clippy.toml` beside this crate bans everything that would break that.
//!
//! | idea | where |
//! |---|---|
//! | what a strategy may touch | [`port`] |
//! | early refresh × stale window | `policy/` |
//! | load-and-store as one act, coalescing, the fleet's lock | `fill/` |
//! | TTL jitter, the meter | `layer/` |
//! | how operations reach the shared cache: one connection, a pool | `layer/connection/` |
//! | a bound on what reaches the origin, a breaker | `layer/origin/` |
//! | what is done to the cache when an item is written | `layer/write/` |
//! | a replica's own request slots, and who waits in it | [`Slots`] |
//! | the SPEC grammar and the presets | [`spec`] |
//! | public mistakes, wrong on purpose | [`sabotage`] |
//! | counters that expire, their own SPECs and theory | [`counter`] |
//! | what theory predicts of a hot key | [`theory`] |
//! | how long things may take in a replica | [`Budgets`] |
//! | durations, rates and sizes as people write them | [`kit::units`] |
//! | what any cache must do | `conformance` (feature `conformance`) |

pub mod counter;
mod fill;
mod kit;
mod layer;
mod policy;
pub mod port;
pub mod spec;
mod stack;
pub mod theory;

pub use fill::{Cx, Filled, LEASE_MARGIN, Mode, Prefetched, Want};
pub use kit::by_item::{ByItem, ItemGroups};
pub use kit::nearest;
pub use kit::rng;
pub use kit::time;
pub use kit::units;
pub use layer::{ConnectionUse, HoldFor, NearCounters, PoolCounters, PoolSettings, Written};
pub use policy::Served;
pub use port::entry::{Entry, Freshness, Life, Stamp};
pub use port::error::GetError;
pub use port::key::{KEY_BYTES_MAX, Key, KeyError};
pub use port::outcome::Outcome;
#[cfg(feature = "conformance")]
pub use port::{conformance, pool_conformance};
pub use spec::Spec;
pub use stack::budgets::Budgets;
pub use stack::sabotage;
pub use stack::slots::Slots;
pub use stack::{Ports, RunningStrategy, Stack, Unable, WarmItem};
