//! The fuzzer: small worlds drawn from a seed, in which things go wrong, and checkers that watch.
//!
//! A [`Case`] is a value: replicas, requests and faults, drawn from (seed, profile). [`play`] plays it under a strategy and
//! says which invariant broke, if one did; [`shrink`] makes a failing case smaller, and [`story`] takes from its log what
//! explains the failure. The same case gives the same log, byte for byte.

mod aims;
mod case;
mod faults;
mod play;
mod rare;
mod shrink;
mod story;
mod subject;

pub use case::{Case, Fault, FaultTarget, PROFILES, Profile};
pub use play::{Played, play};
pub use rare::{NamedCounts, RARE};
pub use shrink::shrink;
pub use story::{lines, story, whole};
pub use subject::FuzzSubject;
