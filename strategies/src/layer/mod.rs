//! Cache layers: each is a cache around a cache, so that all of them see every write.

mod flawed;
mod jitter;
mod meter;

pub(crate) use flawed::Flawed;
pub(crate) use jitter::Jitter;
pub(crate) use meter::Metered;
