//! Counters that expire: strategies that count what happens in a window of time, for a rate limiter for one.
//!
//! A counter strategy is a SPEC of its own family, as `lua + sharded(n=10) + batched(100ms)`: exactly one base, which says with which
//! commands one increment is made, and what may stand around it. A new one is its file with its row, and its place in [`COUNTERS`].
//!
//! A window begins with its first increment and ends by the key's life in the cache, T later. What is wrong with some of the bases, which
//! all come from real programs, lies between their commands: see each file.

mod base;
mod batched;
mod catalogue;
#[cfg(feature = "conformance")]
pub mod conformance;
mod layer;
mod lives;
mod meter;
mod sharded;
mod slots;
mod spec;
mod stack;
pub mod theory;

pub use catalogue::COUNTERS;
pub use layer::{CountAnswer, CountError, CounterInfo, CounterPart, ToldCount};
pub use slots::{SLOTS, slot_of, slot_of_key};
pub use spec::CounterSpec;
pub use stack::{CounterPorts, CounterStack, CounterUnable};
