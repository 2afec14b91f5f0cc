//! How often each fault takes effect, and each rare event happens, in so many seeds over all presets and profiles: half of
//! what was counted. A fuzzer that does not reach a state says nothing about it.

/// The seeds that the floors are for.
pub const PER_SEEDS: u64 = 2000;

/// Name and floor.
pub const FLOORS: &[(&str, u64)] = &[];
