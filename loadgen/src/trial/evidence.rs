//! What a strategy did, collected from those who saw it.

use app::cache_source::CacheStatus;
use app::control_client::ControlError;

use super::judge::{Observed, judge};
use super::{Before, Bench, Load, Trial};
use crate::measure::Circumstances;
use crate::settings::Subject;

impl Bench<'_> {
    pub(super) async fn evidence(
        &self,
        subject: &Subject,
        before: &Before,
        load: Load,
        not_quiet: u64,
    ) -> Result<Trial, ControlError> {
        let origin = match self.endpoints.origin.as_ref().zip(before.origin_clock) {
            Some((origin, clock)) => Some((origin.get("/ledger").await?, clock)),
            None => None,
        };
        let mut replicas = Vec::new();
        for (index, (control, clock)) in self.endpoints.replicas.iter().zip(&before.replica_clocks).enumerate() {
            let clock = load.aftermath.clocks.get(&index).unwrap_or(clock);
            replicas.push((control.get("/events").await?, *clock));
        }
        let cache_after = match self.endpoints.replicas.first() {
            Some(replica) => Some(replica.get::<CacheStatus>("/cache").await),
            None => None,
        };
        let identities = self.identities().await?;
        let restarted = identities.iter().zip(&before.identities);
        let restarted = restarted.filter(|(now, then)| now != then && !load.aftermath.ended.contains(*then)).count();
        let caches = cache_after.as_ref().and_then(|now| now.as_ref().ok()).zip(before.cache.as_ref());
        let circumstances = Circumstances {
            evicted: caches.map_or(0, |(now, then)| now.evicted.saturating_sub(then.evicted)),
            cache_restarted: !load.aftermath.cache_ended
                && caches.is_some_and(|(now, then)| now.incarnation != then.incarnation),
            cache_unknown: cache_after.as_ref().and_then(|now| now.as_ref().err()).map(ToString::to_string),
            replicas_restarted: u32::try_from(restarted).unwrap_or(u32::MAX),
            not_quiet,
            worker_died: load.worker_died,
            ..Circumstances::default()
        };
        let mut trial = judge(Observed {
            scenario: &self.settings.scenario,
            subject,
            t0_ns: i64::try_from(load.t0.0).unwrap_or(i64::MAX),
            end_ns: load.end_ns,
            stopped: self.stop.is_said(),
            collected: load.collected,
            origin,
            replicas,
            counters: load.counters,
            aftermath: load.aftermath,
            circumstances,
        });
        trial.figures.strategy.generator_cpu_cores = load.cpu_cores;
        Ok(Trial { containers: load.containers, ..trial })
    }
}
