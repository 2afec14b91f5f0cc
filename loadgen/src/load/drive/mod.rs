//! The driver: turns a plan into requests, on worker threads of its own, and hands every answer to the recorder.
//!
//! Latency counts from the intended send. In a closed loop that is the previous completion plus the think time, so a
//! server that stalls slows its own load down: the chart says so. In an open loop it is the plan's own time.

mod again;
mod asks;
pub mod cache_status;
mod closed;
mod connection;
mod counted;
mod counted_stream;
mod dial;
mod every_item;
mod fleet;
mod lack;
mod once;
mod open;
mod outcome_words;
mod pacer;
mod page;
mod pool;
mod probe;
mod probed;
mod retrying;
mod shared;
mod site;
mod wire;
mod worker;
mod writes;

pub use asks::Asks;
pub use every_item::{EveryItem, ItemUnanswered};
pub use fleet::{Worked, Workers};
pub use lack::in_words as lack_in_words;
pub use outcome_words::{OutcomeHeader, ToldStaleness};
pub use pacer::{Pace, Pacer};
pub use probe::{Unanswered, probe};
pub use probed::Probed;
pub use retrying::Retrying;
pub use shared::{Drive, Pattern, StartSignal};
pub use site::{KEY, Site};
