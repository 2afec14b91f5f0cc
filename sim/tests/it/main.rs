//! The simulator: its world, its fleet, and the checkers of invariants. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]

mod common;
mod conformance;
mod counted;
mod counters;
mod failures;
mod guards;
mod hotkey;
mod invariants;
mod ramps;
mod retries;
mod server;
mod story;
mod theory;
mod trace;
mod troubles;
