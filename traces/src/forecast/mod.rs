//! How large the herds of a trace would be, before anything is run.
//!
//! Two answers to one question. *Predicted*: by the lab's own theory ([`strategies::theory`]), for a key that is read like a Poisson
//! stream of its mean rate: 1 + r·d reads at an expiry without protection, 1 with a single flight for the fleet. *Counted*: by the
//! trace's own arrivals, one key after the other, with an origin that takes d for every read. Where the two differ the trace is not
//! Poisson: bursts and a rate that changes make the difference.
//!
//! Assumed by both: the cache is empty at the first row and loses nothing; its way takes no time; d is constant, the origin has a
//! place for every read and never fails; a value lives for its TTL from the moment when its read is over, and where several read at once
//! the last one counts. The TTL is the one that the key's rows stated last, its class's where they state none, and that of
//! the question where there is no other; a key with none never expires. Writes, deletions and counts change nothing
//! in the cache: they say how long a key lives, and no more.

mod answer;
mod predicted;
mod replay;

pub use answer::{CountedHerds, HerdForecast, HerdQuestion, KeyHerds, OriginReads, PredictedHerds};
pub(crate) use answer::{KeyLoad, TraceLoad};
pub(crate) use replay::HerdReplay;
