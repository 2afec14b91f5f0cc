//! The events in which servers take each other's place: a primary that is lost, slots that move. Each is over when the lab sees that it is.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use app::cache::redis_cache::{ClusterHand, SlotsToMove, WriteProbe};
use app::cache::redis_nodes::PrivateNodes;
use evidence::CommandTimes;
use scenarios::{Action, ActionKind, MigrationWay};
use strategies::Key;
use strategies::counter::slot_of_key;

use super::NodeWindow;
use super::changed::{Begun, WhatBegan};
use super::inject::Injector;
use crate::lab::shards::AskedCluster;

/// How often it is looked whether a lost primary's keys take writes.
const PROBE_EVERY: Duration = Duration::from_millis(5);
/// How long that may take.
const FAILOVER_BUDGET: Duration = Duration::from_secs(60);

impl Injector<'_> {
    /// Begins it; from now on cache operations may fail.
    pub(super) async fn begin_at_nodes(&self, action: &Action) -> Result<Begun, String> {
        let times = self.command_times().await;
        let what = match action.kind {
            ActionKind::CacheFailover => {
                let item = action.key.or_else(|| self.scenario.keys.hot_key()).unwrap_or(1);
                let (item, stands_still, nodes) = (Key::of_item(item), action.length, self.nodes()?);
                let slot = self.slot(&item);
                self.span(None);
                self.told().cache_ended = true;
                self.lost.store(true, Relaxed);
                blocking(move || match stands_still.is_zero() {
                    true => nodes.kill_primary(slot),
                    false => nodes.stop_primary(slot),
                })
                .await?;
                WhatBegan::Lost { item, stands_still }
            }
            _ => {
                let Some(AskedCluster::Itself(cluster)) = &self.endpoints.cluster else {
                    return Err("the lab reaches no cluster itself".to_owned());
                };
                let hand = Arc::new(ClusterHand::new(cluster).map_err(|flaw| flaw.to_string())?);
                let which = action.key.map(|key| SlotsToMove::One(self.slot(&Key::of_item(key))));
                let slots = hand.plan(which.unwrap_or(SlotsToMove::Count(action.slots))).await?;
                self.moved.lock().await.0.push((Arc::clone(&hand), slots.clone()));
                self.span(None);
                WhatBegan::Moves { hand, slots }
            }
        };
        Ok(Begun { from_ns: self.now_ns(), times, what })
    }

    /// Waits until it is over: when that was, and what there is to say about it.
    pub(super) async fn end_at_nodes(&self, action: &Action, begun: Begun) -> (i64, Result<String, String>) {
        let said = match begun.what {
            WhatBegan::Lost { item, stands_still } => {
                self.until_it_takes_writes(&item, stands_still, begun.from_ns).await
            }
            WhatBegan::Moves { hand, slots } => {
                let moved = match action.how {
                    MigrationWay::Legacy => hand.move_by_key(&slots).await,
                    MigrationWay::Atomic => hand.move_at_once(&slots).await,
                };
                let said = |of: app::cache::redis_cache::SlotsMoved| {
                    format!("{} slots with {} keys have moved, in {:.2} s", of.slots, of.keys, of.took.as_secs_f64())
                };
                (self.now_ns(), moved.map(said))
            }
        };
        self.end_span(None);
        let times = self.command_times().await.since(&begun.times);
        let window = NodeWindow { kind: action.kind, from_ns: begun.from_ns, to_ns: said.0, times };
        self.told().windows.push(window);
        said
    }

    async fn until_it_takes_writes(
        &self,
        item: &Key,
        stands_still: Duration,
        from_ns: i64,
    ) -> (i64, Result<String, String>) {
        let probing = async {
            let nodes = self.nodes()?;
            let probe = WriteProbe::new(&nodes.address()).map_err(|flaw| flaw.to_string())?;
            let until = async {
                while !probe.takes_writes(self.keyspace(), item).await {
                    tokio::time::sleep(PROBE_EVERY).await;
                }
            };
            let late = |_| format!("its keys took no write within {FAILOVER_BUDGET:?}");
            tokio::time::timeout(FAILOVER_BUDGET, until).await.map_err(late)
        };
        let probed = async {
            let said: Result<(), String> = probing.await;
            (self.now_ns(), said)
        };
        let going_on = async {
            if !stands_still.is_zero() {
                tokio::time::sleep(stands_still).await;
                if let Ok(nodes) = self.nodes() {
                    nodes.go_on();
                }
            }
        };
        let ((at_ns, said), ()) = tokio::join!(probed, going_on);
        let seconds = (at_ns - from_ns) as f64 / 1e9;
        (at_ns, said.map(|()| format!("its keys take writes again, after {seconds:.2} s")))
    }

    /// Gives back slots that have moved, and starts servers anew that were lost.
    pub(super) async fn mend_nodes(&self) -> Result<(), String> {
        if self.lost.swap(false, Relaxed) {
            let nodes = self.nodes()?;
            blocking(move || nodes.mend())
                .await
                .map_err(|why| format!("the cache's servers are not whole again · {why}"))?;
        }
        let moved = std::mem::take(&mut *self.moved.lock().await);
        for (hand, slots) in moved.0.iter().rev() {
            let back = hand.move_back(slots).await;
            back.map_err(|why| format!("slots that an event moved could not be given back · {why}"))?;
        }
        Ok(())
    }

    fn keyspace(&self) -> &str {
        self.starts.first().map(|start| start.namespace.as_str()).unwrap_or_default()
    }

    /// The slot in which the cache has an item.
    fn slot(&self, item: &Key) -> u16 {
        slot_of_key(format!("{}:{{{}}}", self.keyspace(), item.whole().0).as_bytes())
    }

    fn nodes(&self) -> Result<Arc<PrivateNodes>, String> {
        self.endpoints.nodes.clone().ok_or_else(|| "the lab has no servers that stand in for one another".to_owned())
    }

    /// What commands to a cluster took so far, of all replicas that say.
    async fn command_times(&self) -> CommandTimes {
        let mut all = CommandTimes::default();
        if self.endpoints.cluster.is_some() {
            for control in &self.endpoints.replicas {
                if let Ok(times) = control.get::<CommandTimes>("/command-times").await {
                    all.add(&times);
                }
            }
        }
        all
    }
}

/// Does what waits for servers where nobody waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "it panicked: a bug".to_owned())?
}
