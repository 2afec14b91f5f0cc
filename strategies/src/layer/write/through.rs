//! `write-through`: a write puts its value into the cache, once the origin has committed it, and never over a newer version: of two
//! writers within a round trip the last SET would win, and not the last commit.
//!
//! A fill that read the origin before the commit may put the old value over the new one. Where fills hold a `lock` or a `lease`, they
//! never store an older version over a newer one either.

use std::sync::Arc;

use super::{CommittedItem, ItemWriter, WriteDoor, may_be_committed};
use crate::fill::Cx;
use crate::port::BoxFuture;
use crate::port::entry::Entry;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::spec::{Layer, LayerInfo, Slot, WriteEffect, WriteLayer};

/// Its row.
pub(crate) const WRITE_THROUGH: LayerInfo = LayerInfo {
    name: "write-through",
    slot: Slot::Write,
    summary: "a write puts its value into the cache after the commit, ordered by version; with lock or lease fills are, too",
    params: &[],
    make: |_| Ok(Layer::Write(Arc::new(WriteThrough))),
};

#[derive(Debug)]
struct WriteThrough;

impl WriteLayer for WriteThrough {
    fn around(&self, inner: Arc<dyn ItemWriter>, door: &WriteDoor) -> Arc<dyn ItemWriter> {
        Arc::new(WritingThrough { inner, door: door.clone() })
    }

    fn effect(&self) -> WriteEffect {
        WriteEffect::Puts
    }
}

struct WritingThrough {
    inner: Arc<dyn ItemWriter>,
    door: WriteDoor,
}

impl WritingThrough {
    async fn put(&self, key: &Key, item: &CommittedItem) {
        let entry = Entry {
            value: item.loaded.value.clone(),
            version: item.loaded.version,
            read_at: item.loaded.read_at,
            stored_at: self.door.ports.clock.wall(),
            life: self.door.lives.of(key),
            delta: item.delta,
        };
        self.door.put(key, &entry).await;
    }
}

impl ItemWriter for WritingThrough {
    fn write<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<CommittedItem, GetError>> {
        Box::pin(async move {
            let answer = self.inner.write(cx, key).await;
            match &answer {
                Ok(item) if item.loaded.value.is_some() => self.put(key, item).await,
                // Which version it has become nobody knows, so what is there goes.
                Err(error) if may_be_committed(error) => self.door.forget(key).await,
                Ok(_) | Err(_) => {}
            }
            answer
        })
    }
}
