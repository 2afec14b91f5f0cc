//! Cache layers: each is a cache around a cache, so that all of them see every write.

mod flawed;
mod jitter;
mod meter;
mod negative;

pub(crate) use flawed::Flawed;
pub(crate) use jitter::JITTER;
pub(crate) use meter::Metered;
pub(crate) use negative::NEGATIVE;
