//! The generator in virtual time, and its programs where they run no lab. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what was played is told where a test fails")]

mod action;
mod advise;
mod advise_scale;
mod architecture;
mod bad_input;
mod baselines;
mod brownout;
mod budgets;
mod capacity;
mod check;
mod ci_docs;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod compose;
mod corpora;
mod counters;
mod floor;
mod fuzz;
mod gate;
mod history;
mod hostile;
mod junit;
mod kubernetes;
mod names;
mod near;
mod otlp;
mod own_keys;
mod pages;
mod pool;
mod ramps;
mod replay;
mod security;
mod shards;
mod shells;
mod sim;
mod sweep;
mod sweep_parts;
mod takeovers;
mod theory;
mod trace;
mod validity;
mod values;
mod verdicts;
mod workflows;
mod writes;
mod wrong;
