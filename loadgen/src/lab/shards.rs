//! What a cluster's nodes do, sampled once a second while a strategy runs. A node that does not answer leaves no row: a run is never worse
//! for that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::cache::redis_cache::{ClusterWatch, RedisAddress, ShardSample};
use app::process::runtime::RealClock;
use app::wire::control_client::ControlClient;
use report::record::ShardRow;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::task::JoinSet;

/// How often they are asked.
const EVERY: Duration = Duration::from_secs(1);
/// Rows at most.
const ROWS_MAX: usize = 1_000_000;

type Rows = Arc<Mutex<Vec<ShardRow>>>;

/// How a cluster's nodes are asked.
#[derive(Clone)]
pub enum AskedCluster {
    /// By the generator.
    Itself(RedisAddress),
    /// By the proxy beside it.
    ByProxy(ControlClient),
}

enum Asking {
    Itself(Box<ClusterWatch>),
    ByProxy(ControlClient),
}

impl Asking {
    async fn ask(&mut self) -> Result<Vec<ShardSample>, String> {
        match self {
            Self::Itself(watch) => watch.ask().await,
            Self::ByProxy(proxy) => proxy.get("/shards").await.map_err(|error| error.to_string()),
        }
    }
}

/// Samples until it is asked for its rows, or dropped.
pub(super) struct ShardSampler {
    rows: Rows,
    // Aborts its task when it is dropped.
    _task: JoinSet<()>,
}

impl ShardSampler {
    /// Samples a cluster; `None` where there is none, or its address cannot be used.
    #[must_use]
    pub(super) fn start(cluster: Option<&AskedCluster>, clock: RealClock) -> Option<Self> {
        let mut watch = match cluster? {
            AskedCluster::Itself(at) => Asking::Itself(Box::new(ClusterWatch::new(at).ok()?)),
            AskedCluster::ByProxy(proxy) => Asking::ByProxy(proxy.clone()),
        };
        let rows = Rows::default();
        let (mut task, into) = (JoinSet::new(), Arc::clone(&rows));
        task.spawn(async move {
            let mut every = tokio::time::interval(EVERY);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut before = BTreeMap::new();
            loop {
                every.tick().await;
                let Ok(samples) = watch.ask().await else { continue };
                let at = clock.mono();
                let mut rows = into.lock().unwrap_or_else(PoisonError::into_inner);
                for now in samples {
                    if rows.len() < ROWS_MAX {
                        rows.push(row(before.get(&now.node).unwrap_or(&now), &now, at));
                    }
                    before.insert(now.node.clone(), now);
                }
            }
        });
        Some(Self { rows, _task: task })
    }

    /// What was sampled, on the time line that begins at `t0`.
    #[must_use]
    pub(super) fn rows(self, t0: Mono) -> Vec<ShardRow> {
        let mut rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let t0 = i64::try_from(t0.0).unwrap_or(i64::MAX);
        rows.iter_mut().for_each(|row| row.t_ns -= t0);
        rows
    }
}

fn row(before: &ShardSample, now: &ShardSample, at: Mono) -> ShardRow {
    // A count that went back is a server's new life.
    let since = |count: fn(&ShardSample) -> u64| count(now).saturating_sub(count(before));
    ShardRow {
        t_ns: i64::try_from(at.0).unwrap_or(i64::MAX),
        node: now.node.clone(),
        role: if now.primary { "primary" } else { "replica" }.to_owned(),
        slots: now.slots,
        operations: since(|of| of.operations),
        cpu_us: since(|of| of.cpu_us),
        moved: since(|of| of.moved),
        ask: since(|of| of.ask),
        try_again: since(|of| of.try_again),
    }
}
