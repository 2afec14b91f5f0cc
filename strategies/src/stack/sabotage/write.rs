//! Writes that tell the cache at the wrong time, or less than they must.

use std::sync::Arc;

use super::BrokenInfo;
use crate::fill::Cx;
use crate::layer::write::{CommittedItem, Invalidate, ItemWriter, WriteDoor};
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{BoxFuture, Removal};
use crate::spec::{WriteEffect, WriteLayer};

/// The key is removed, and then the item written.
pub(super) const DELETE_BEFORE_WRITE: BrokenInfo = BrokenInfo {
    name: "broken-delete-before-write",
    composition: "plain + lock + invalidate",
    reason: "a read between the removal and the commit stores the old value again, for a whole TTL",
    mistake: "DEL before the UPDATE, so that a failed write leaves no wrong entry behind",
    sabotage: |parts| parts.write = Some(Arc::new(DeleteBefore)),
};

/// The removal leaves the lease of a fill that is under way.
pub(super) const INVALIDATE_RACE: BrokenInfo = BrokenInfo {
    name: "broken-invalidate-race",
    composition: "plain + lease + invalidate",
    reason: "a fill that began before the commit stores the old value after the removal, for a whole TTL",
    mistake: "DEL after the UPDATE without a generation or a lease: an in-flight read repopulates the old value",
    sabotage: |parts| parts.write = Some(Arc::new(LeavesTheLease)),
};

#[derive(Debug)]
struct LeavesTheLease;

impl WriteLayer for LeavesTheLease {
    fn around(&self, inner: Arc<dyn ItemWriter>, door: &WriteDoor) -> Arc<dyn ItemWriter> {
        Invalidate::default().around(inner, &WriteDoor { removal: Removal::Entry, ..door.clone() })
    }

    fn effect(&self) -> WriteEffect {
        WriteEffect::Removes
    }
}

#[derive(Debug)]
struct DeleteBefore;

impl WriteLayer for DeleteBefore {
    fn around(&self, inner: Arc<dyn ItemWriter>, door: &WriteDoor) -> Arc<dyn ItemWriter> {
        Arc::new(DeletingBefore { inner, door: door.clone() })
    }

    fn effect(&self) -> WriteEffect {
        WriteEffect::Removes
    }
}

struct DeletingBefore {
    inner: Arc<dyn ItemWriter>,
    door: WriteDoor,
}

impl ItemWriter for DeletingBefore {
    fn write<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<CommittedItem, GetError>> {
        Box::pin(async move {
            self.door.forget(key).await;
            self.inner.write(cx, key).await
        })
    }
}
