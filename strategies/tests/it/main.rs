//! What a stack of layers promises, in virtual time. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]

mod batch;
mod broken;
mod cache_breaker;
mod common;
mod guards;
mod herds;
mod leaders;
mod leases;
mod parts;
mod pool;
mod spec;
