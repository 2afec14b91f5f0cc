//! A replica, the origin, their programs, and the Redis adapter on a real Redis. One binary, because each is linked anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic here is a failed test")]

mod acl;
mod cluster;
mod common;
mod corrupt;
mod counters;
mod encrypted;
mod leaders;
mod leases;
mod metrics;
mod near;
mod origin;
mod origin_proxy;
mod programs;
mod redis;
mod replica;
mod same_answers;
mod stack_parts;
mod values;
mod writes;
