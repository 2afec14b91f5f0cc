//! What layers are made with and know nothing of: time limits, lines, randomness, moments, units, words.

pub(crate) mod by_item;
pub(crate) mod current;
pub(crate) mod line;
pub mod nearest;
pub mod rng;
pub mod time;
pub mod units;
pub(crate) mod within;
