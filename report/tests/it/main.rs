//! Records in; charts, pages and words out. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod baselines;
mod drawings;
mod heat;
mod history;
mod page;
mod page_kinds;
mod records;
mod sentences;
mod server;
mod stats;
mod support;
mod sweeps;
