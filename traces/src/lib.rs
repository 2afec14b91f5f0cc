//! Recorded requests as a load: what was asked of a cache, when, read as a stream whose memory does not grow with its length.
//!
//! | idea | where |
//! |---|---|
//! | a file, packed or not, as lines of bounded length | `source` |
//! | what a row says, in three formats, and how a format is recognised | [`mod@format`] |
//! | order, and whole seconds that many rows share | `time` |
//! | the reader: rows with their times, a window, a speed | [`reader`] |
//! | what went wrong, counted, and the first one named | [`bad`], [`error`] |
//! | keys: hashes, pseudonyms, numbers 1..=n, classes | [`key`], [`numbers`], [`class`] |
//! | what a trace is like: keys, sizes, TTLs, a fitted Zipf law; its rate over time | [`summary`], [`rate`] |
//! | how large its herds would be | [`forecast`] |
//! | traces made of a known law, for tests and first steps | [`law`] |
//!
//! Nothing here believes a file: lines, rows out of order, seconds, keys and regular expressions have a limit each, and no bytes make
//! it panic. A key's name is kept where it is asked for, and nowhere else.

pub mod bad;
pub mod class;
pub mod error;
pub mod escape;
pub mod forecast;
pub mod format;
pub mod key;
pub mod law;
pub mod numbers;
pub mod options;
pub mod rate;
pub mod reader;
pub mod row;
mod source;
pub mod summary;
mod time;

pub use error::TraceError;
pub use format::TraceFormat;
pub use numbers::KeyNumbers;
pub use options::TraceOptions;
pub use reader::TraceReader;
pub use row::{TraceOp, TraceRow};
