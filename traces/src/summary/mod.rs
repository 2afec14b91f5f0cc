//! What a trace is like, in one pass: its memory grows with the number of distinct keys and with nothing else.
//!
//! Times are those of the replay: where rows come at another speed, rates are that speed's. TTLs stay as they are.
//!
//! | idea | where |
//! |---|---|
//! | what is found | [`TraceSummary`] |
//! | sizes and TTLs | [`amounts`] |
//! | the exponent of a Zipf law, its error, and whether it is one | [`zipf`] |

pub mod amounts;
mod found;
mod pass;

mod top;
pub mod zipf;

pub use amounts::{Amounts, CommonTtls};
pub use found::{OpCounts, SummaryOptions, TopKey, TraceSummary};
pub use pass::summarise;
