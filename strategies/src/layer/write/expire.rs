//! `expire`: a write does nothing to the cache. What it holds is old until its TTL is over.

use std::sync::Arc;

use super::{ItemWriter, WriteDoor};
use crate::spec::{Layer, LayerInfo, Slot, WriteEffect, WriteLayer};

/// Its row.
pub(crate) const EXPIRE: LayerInfo = LayerInfo {
    name: "expire",
    slot: Slot::Write,
    summary: "a write does nothing to the cache: its value is old until the TTL is over (as without a write layer)",
    params: &[],
    make: |_| Ok(Layer::Write(Arc::new(Expire))),
};

#[derive(Debug)]
struct Expire;

impl WriteLayer for Expire {
    fn around(&self, inner: Arc<dyn ItemWriter>, _door: &WriteDoor) -> Arc<dyn ItemWriter> {
        inner
    }

    fn effect(&self) -> WriteEffect {
        WriteEffect::Nothing
    }
}
