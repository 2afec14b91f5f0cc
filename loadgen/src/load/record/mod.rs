//! The recorder: what each request's answer adds to the record, at no message per request.
//!
//! Each worker writes into its own seconds ([`Recorder`]); once a second it hands the finished one to the [`Collector`],
//! which merges the workers', writes the histogram log and keeps the sums. A second holds the requests whose *intended*
//! send lies in it, so the measured rows sum to the figures of the run exactly, and a stall shows where it hurt.

mod collector;
mod histogram;
mod part;
mod recorder;
mod rows;
mod second;
mod slowest;
mod sound;
mod times;
mod versions;

pub use collector::{Collected, Collector, Log, Tell};
pub(crate) use histogram::{histogram, latency, quantile_ms};
pub use part::PartWriter;
pub use recorder::Recorder;
pub(crate) use second::POOL;
pub use second::{Answer, IssuedRequest, KeySample, PoolSeen, Second, TAGS, Tries};
pub use slowest::Slowest;
pub use sound::SecondBounds;
pub use versions::{AcknowledgedWrite, CollectedWrites, SeenVersion, SentWrite, VersionTape, WriteCount};
