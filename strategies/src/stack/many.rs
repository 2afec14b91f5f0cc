//! A request for several items.

use std::ops::Deref;

use futures_util::future::join_all;

use super::Stack;
use crate::fill::Cx;
use crate::layer::{BatchWay, ConnectionUse, gathering};
use crate::policy::Served;
use crate::port::Level;
use crate::port::error::GetError;
use crate::port::key::Key;

impl Stack {
    /// Answers a request for several items, in their order, as its `batch` layer says; and how it came by its connections. It takes one of the
    /// replica's slots. Where one item has no answer, the request has none.
    pub async fn serve_many(
        stack: impl Deref<Target = Self>,
        cx: Cx,
        keys: &[Key],
    ) -> (Result<Vec<Served>, GetError>, Option<ConnectionUse>) {
        let work = async {
            match &stack.reach.batching.trips {
                Some(trips) => trips.of(stack.answer_many(cx, keys)).await,
                None => stack.answer_many(cx, keys).await,
            }
        };
        stack.reach.connecting.within(work).await
    }

    async fn answer_many(&self, cx: Cx, keys: &[Key]) -> Result<Vec<Served>, GetError> {
        let _slot = self.door.enter(&*self.clock, cx.deadline).await?;
        let names: Vec<Key> = keys.iter().map(|key| self.reach.names.any(key).unwrap_or_else(|| key.clone())).collect();
        let each = || names.iter().map(|key| self.policy.get(cx, key));
        match &self.reach.batching.way {
            BatchWay::InTurn => {
                let mut served = Vec::with_capacity(names.len());
                for answer in each() {
                    served.push(answer.await?);
                }
                Ok(served)
            }
            BatchWay::AtOnce => join_all(each()).await.into_iter().collect(),
            BatchWay::Gathered { cache, by_slot } => {
                gathering(cache, *by_slot, join_all(each())).await.into_iter().collect()
            }
        }
    }
}

impl Served {
    /// How a request for several items was answered: as the item that was farthest away. Its value is the first item's, and its flight the
    /// first that one of them led; `None` of none.
    #[must_use]
    pub fn of_many(items: &[Self]) -> Option<Self> {
        let farthest = items.iter().max_by_key(|served| served.outcome)?;
        let first = items.first()?;
        let near = items.iter().all(|served| served.level == Level::Near);
        Some(Self {
            value: first.value.clone(),
            version: first.version,
            outcome: farthest.outcome,
            level: if near { Level::Near } else { Level::Shared },
            age: items.iter().map(|served| served.age).max().unwrap_or_default(),
            ttl_left_ns: items.iter().map(|served| served.ttl_left_ns).min().unwrap_or_default(),
            flight: items.iter().find_map(|served| served.flight),
        })
    }
}
