//! Cache-stampede strategies as layers over ports, with no clock, no runtime and no I/O of their own.

pub mod rng;
pub mod spec;
