//! Real servers in which a fault was really caused, and servers that are none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod common;
mod documented;
mod encrypted;
mod hostile;
mod planted;
mod planted_fleet;
mod planted_traffic;
mod rights;
mod well_kept;
