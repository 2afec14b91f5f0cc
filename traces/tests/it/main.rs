//! Traces in every format, traces of a known law, and traces that mean harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod bad;
mod common;
mod forecast;
mod formats;
mod hostile;
mod keys;
mod law;
mod moments;
