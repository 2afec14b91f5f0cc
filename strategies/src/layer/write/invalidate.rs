//! `invalidate`: a write takes its key out of the cache, once the origin has committed it.
//!
//! A fill that read the origin before the commit may store the old value after the removal. Where fills hold a `lease`, the removal
//! takes the lease away with the entry, in one step, and such a put is fenced off (Nishtala et al., "Scaling Memcache at Facebook",
//! NSDI 2013, section 3.2.1). `twice` removes once more after a time, which helps where fills take less than that.

use std::sync::Arc;
use std::time::Duration;

use super::{CommittedItem, ItemWriter, WriteDoor, may_be_committed};
use crate::fill::Cx;
use crate::port::BoxFuture;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot, WriteEffect, WriteLayer};

/// Its row.
pub(crate) const INVALIDATE: LayerInfo = LayerInfo {
    name: "invalidate",
    slot: Slot::Write,
    summary: "a write takes its key out of the cache after the commit; with a lease also what is being loaded then",
    params: &[ParamInfo {
        name: "twice",
        default: "0s",
        what: "after how long it is removed once more (0s: not at all)",
        range: Range::Time(Duration::ZERO, Duration::from_secs(3600)),
    }],
    make: |args| Ok(Layer::Write(Arc::new(Invalidate { twice: args.duration("twice")? }))),
};

/// The layer.
#[derive(Debug, Default)]
pub(crate) struct Invalidate {
    /// Zero: it is removed once.
    pub(crate) twice: Duration,
}

impl WriteLayer for Invalidate {
    fn around(&self, inner: Arc<dyn ItemWriter>, door: &WriteDoor) -> Arc<dyn ItemWriter> {
        Arc::new(Invalidating { inner, door: door.clone(), twice: self.twice })
    }

    fn effect(&self) -> WriteEffect {
        WriteEffect::Removes
    }
}

struct Invalidating {
    inner: Arc<dyn ItemWriter>,
    door: WriteDoor,
    twice: Duration,
}

impl ItemWriter for Invalidating {
    fn write<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<CommittedItem, GetError>> {
        Box::pin(async move {
            let answer = self.inner.write(cx, key).await;
            if answer.as_ref().err().is_some_and(|error| !may_be_committed(error)) {
                return answer;
            }
            self.door.forget(key).await;
            if !self.twice.is_zero() {
                let (door, key, twice) = (self.door.clone(), key.clone(), self.twice);
                self.door.ports.spawn.spawn(Box::pin(async move {
                    door.ports.clock.sleep(twice).await;
                    door.forget(&key).await;
                }));
            }
            answer
        })
    }
}
