//! Cache layers: each is a cache around a cache, so that all of them see every write.

mod jitter;
mod meter;

pub(crate) use jitter::Jitter;
pub(crate) use meter::Metered;
