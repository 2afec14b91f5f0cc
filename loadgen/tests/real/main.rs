//! The generator in real time: labs, servers, containers and browsers. One binary, because each is linked anew, and apart from
//! `it`, whose simulations would take from what is measured here: a test that puts a load on the machine does so `alone` or `beside`
//! others (`common/turns.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod capacity;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod conditions;
mod counters;
mod descriptors;
mod diagnose;
mod docker;
mod docker_shards;
mod encrypted;
mod interrupts;
mod keys_and_ramps;
mod live;
mod near;
mod nginx_varnish;
mod pool;
mod preflight;
mod prometheus;
mod proxy_origin;
mod real_gate;
mod repeats;
mod replay;
mod retries;
mod runs;
mod schema;
mod schemas;
mod secrets;
mod server;
mod server_events;
mod slots;
mod stall;
mod target;
mod target_asks;
mod target_warm;
mod terminal;
mod test_stack;
mod turns;
mod values;
mod writes;
