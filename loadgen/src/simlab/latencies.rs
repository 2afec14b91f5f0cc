//! How long messages take in the sim lab.

use sim::{Latencies, Latency};

/// One way each, on a machine that is not busy.
pub const LATENCIES: Latencies =
    Latencies { client: Latency::micros(100, 50), cache: Latency::micros(40, 20), origin: Latency::micros(100, 50) };
