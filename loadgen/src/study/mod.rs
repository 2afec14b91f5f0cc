//! Studies: what is done with many runs, or with records.

pub(crate) mod aa;
pub mod advise;
pub mod blocks;
pub mod capacity;
pub mod check;
#[cfg(feature = "labs")]
pub mod diagnose;
pub mod fuzz;
pub mod gate;
pub mod history;
pub(crate) mod noise;
pub mod otlp;
pub mod selftest;
pub mod sweep;
pub mod thresholds;
pub mod trace;
