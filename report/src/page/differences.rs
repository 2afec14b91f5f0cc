//! What differs between runs that stand side by side on one page.

use crate::record::Run;
use crate::text::phrases;

/// One fact of every run.
pub(super) struct FactRow {
    pub(super) what: &'static str,
    /// One for each run.
    pub(super) values: Vec<String>,
    /// Whether figures may differ because of it.
    pub(super) matters: bool,
}

impl FactRow {
    /// Whether all runs have the same.
    pub(super) fn alike(&self) -> bool {
        self.values.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// Every fact that could make runs differ, whether it does or not; first those that matter most.
pub(super) fn differences(runs: &[&Run]) -> Vec<FactRow> {
    let fact = |what, matters, value: &dyn Fn(&Run) -> String| FactRow {
        what,
        values: runs.iter().map(|run| value(run)).collect(),
        matters,
    };
    vec![
        fact("scenario", true, &|run| run.scenario.clone()),
        fact("plan hash", true, &|run| run.plan_hash.clone()),
        fact("load", true, &|run| run.load.clone()),
        fact("measured", true, &|run| phrases::seconds(run.duration_s)),
        fact("warm-up", true, &|run| phrases::seconds(run.warmup_s)),
        fact("blocks", true, &|run| run.blocks.len().max(1).to_string()),
        fact("seed", true, &|run| run.seed.to_string()),
        fact("TTL", true, &|run| phrases::seconds(run.ttl_s)),
        fact("origin’s service time", true, &phrases::service_time),
        fact("hot key", true, &|run| run.hot_key.clone().unwrap_or_else(|| "none".to_owned())),
        fact("lab", true, &|run| run.lab.clone()),
        fact("cache", true, &|run| run.cache.clone()),
        fact("cache set up with", true, &phrases::cache_settings),
        fact("replicas", true, &|run| run.replicas.to_string()),
        fact("machine", true, &phrases::machine),
        fact("build", true, &|run| run.environment.build.clone()),
        fact("compositions", true, &|run| compositions(run, runs)),
        fact("lab version", false, &|run| run.version.clone()),
        fact("run", false, &|run| run.run.clone()),
        fact("started", false, &|run| run.started_at.clone()),
    ]
}

/// What is behind the names that all runs have.
fn compositions(run: &Run, runs: &[&Run]) -> String {
    let shared = |name: &str| runs.iter().all(|run| run.strategies.iter().any(|s| s.name == name));
    let all = run.strategies.iter().filter(|s| shared(&s.name)).map(|s| format!("{}: {}", s.name, s.spec));
    let mut all: Vec<String> = all.collect();
    all.sort();
    all.join("; ")
}
