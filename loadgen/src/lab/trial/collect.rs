//! What a strategy did, collected from those who saw it.

use app::wire::control_client::ControlError;
use evidence::{CacheStatus, Heartbeat, OriginCounters, OriginWrite};
use strategies::time::Mono;

use super::runner::{Before, LoadDone, TrialRunner};
use super::seen::{Observation, ShareSeen, Tellers, WorldSeen, read_list, told_lists};
use crate::lab::Offset;
use crate::load::measure::{Part, RunFacts};
use crate::shell::exit::Failure;

impl TrialRunner<'_> {
    pub(super) async fn evidence(
        &self,
        before: &Before,
        load: LoadDone,
        not_quiet: u64,
    ) -> Result<Observation, Failure> {
        let reads = match &self.endpoints.origin {
            Some(origin) => Some(read_list(origin.get("/ledger").await.map_err(Failure::failed)?)),
            None => None,
        };
        let writes = self.writes().await.map_err(Failure::failed)?;
        let mut replicas = Vec::new();
        for (index, (control, clock)) in self.endpoints.replicas.iter().zip(&before.replica_clocks).enumerate() {
            let clock = load.aftermath.clocks.get(&index).unwrap_or(clock);
            replicas.push((control.get("/events").await.map_err(Failure::failed)?, *clock));
        }
        let parts = self.parts(before, &load).await.map_err(Failure::failed)?;
        let writes_missed = self.writes_missed().await.map_err(Failure::failed)?;
        let cache_after = self.cache_status().await;
        let identities = self.identities().await.map_err(Failure::failed)?;
        let restarted = identities.iter().zip(&before.identities);
        let restarted = restarted.filter(|(now, then)| now != then && !load.aftermath.ended.contains(*then)).count();
        let caches = cache_after.as_ref().and_then(|now| now.as_ref().ok()).zip(before.cache.as_ref());
        let facts = RunFacts {
            evicted: caches.map_or(0, |(now, then)| now.evicted.saturating_sub(then.evicted)),
            memory_is_bounded: self.settings.scenario.cache.redis.bounds_memory(),
            cache_restarted: !load.aftermath.cache_ended
                && caches.is_some_and(|(now, then)| now.incarnation != then.incarnation),
            cache_unknown: cache_after.as_ref().and_then(|now| now.as_ref().err()).map(ToString::to_string),
            replicas_restarted: u32::try_from(restarted).unwrap_or(u32::MAX),
            not_quiet,
            worker_died: load.worker_died,
            writes_missed,
            ..RunFacts::default()
        };
        let t0_ns = i64::try_from(load.t0.0).unwrap_or(i64::MAX);
        let told = Tellers::of(&replicas);
        let share = self.share(&load, t0_ns);
        let world = WorldSeen {
            t0_ns,
            end_ns: load.end_ns,
            stopped: self.stop.is_said(),
            origin_clock: before.origin_clock,
            writes,
            told,
            counters: load.counters,
            aftermath: load.aftermath,
            parts,
            facts,
            sampled: load.sampled,
            cpu_cores: load.cpu_cores,
            immortals: load.immortals,
            is_virtual: false,
        };
        let lines = told.map(|_| told_lists(replicas, t0_ns));
        Ok(Observation { share, world, collected: load.collected, reads, lines, probed: None })
    }

    fn share(&self, load: &LoadDone, t0_ns: i64) -> ShareSeen {
        ShareSeen {
            heartbeat: load.hearts.iter().cloned().reduce(worst),
            to_t0_ns: t0_ns.saturating_neg(),
            worker_died: load.worker_died,
            cpu_cores: load.cpu_cores,
            start: load.start,
            stopped: self.stop.is_said(),
        }
    }

    /// What the cache says of itself now; `None` where no replica can be asked.
    async fn cache_status(&self) -> Option<Result<CacheStatus, ControlError>> {
        Some(self.endpoints.replicas.first()?.get("/cache").await)
    }

    /// The origin's ledger of writes, where anything is written.
    async fn writes(&self) -> Result<Vec<OriginWrite>, ControlError> {
        match self.endpoints.origin.as_ref().filter(|_| self.settings.scenario.writes.is_some()) {
            Some(origin) => origin.get("/writes").await,
            None => Ok(Vec::new()),
        }
    }

    /// Times that the origin's rows were to get a version of themselves and did not; `None` where it is not ours.
    async fn writes_missed(&self) -> Result<Option<u64>, ControlError> {
        match &self.endpoints.origin {
            Some(origin) => Ok(Some(origin.get::<OriginCounters>("/counters").await?.writes_missed)),
            None => Ok(None),
        }
    }

    /// How every part of the lab fared, on each's own clock.
    async fn parts(&self, before: &Before, load: &LoadDone) -> Result<Vec<Part>, ControlError> {
        let generator = load.hearts.iter().cloned().reduce(worst).unwrap_or_default();
        let ours = Offset { to_ours_ns: 0, uncertainty_ns: 0 };
        let mut parts = vec![part("generator".into(), None, ours, load.t0, generator)];
        for (index, (control, clock)) in self.endpoints.replicas.iter().zip(&before.replica_clocks).enumerate() {
            let clock = load.aftermath.clocks.get(&index).unwrap_or(clock);
            let heartbeat = control.get("/heartbeat").await?;
            parts.push(part(format!("replica-{index}"), u32::try_from(index).ok(), *clock, load.t0, heartbeat));
        }
        if let Some((origin, clock)) = self.endpoints.origin.as_ref().zip(before.origin_clock) {
            parts.push(part("origin".into(), None, clock, load.t0, origin.get("/heartbeat").await?));
        }
        Ok(parts)
    }
}

fn part(name: String, replica: Option<u32>, clock: Offset, t0: Mono, heartbeat: Heartbeat) -> Part {
    let to_t0_ns = clock.to_ours_ns.saturating_sub(i64::try_from(t0.0).unwrap_or(i64::MAX));
    Part { name, replica, to_t0_ns, heartbeat }
}

/// Of two threads of one part everything that was wrong with either. They share a clock, so one's word on it is enough.
fn worst(mut one: Heartbeat, other: Heartbeat) -> Heartbeat {
    one.longest_ns = one.longest_ns.max(other.longest_ns);
    one.silences.extend(other.silences);
    if one.steps.is_empty() {
        one.steps = other.steps;
    }
    one
}
