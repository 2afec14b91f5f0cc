//! Scenario files, good and bad, and the plans that they make. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]

mod bad_counting;
mod bad_files;
mod bad_input;
mod bad_server;
mod bad_values;
mod bad_writes;
mod client_ramps;
mod generated;
mod own_keys;
mod plan;
mod shipped;
mod trace;
