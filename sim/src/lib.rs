//! The in-process worlds: the memory cache, and the virtual-time executor that the strategies' tests run on.
//!
//! Everything here stands behind the ports of `strategies` and knows neither sockets nor Redis. Time comes from the
//! clock port only, so the same memory cache serves the local lab in real time and a test in virtual time.

mod executor;
mod memory;

pub use executor::{Sleep, VirtualClock, World};
pub use memory::MemoryCache;
