//! t = 0 for several processes: the first says it on the origin's clock, and each takes it to its own.

use std::time::Duration;

use strategies::port::Clock;
use strategies::time::Mono;

use super::runner::{Before, TrialRunner, since_ns};
use super::seen::PartStart;
use super::together::{JoinedShards, all_there};
use crate::lab::{Offset, offset};
use crate::load::drive::Drive;
use crate::shell::exit::Failure;

/// From the decision to start to the start of the warm-up: time for the word to be heard everywhere.
const LEAD: Duration = Duration::from_millis(200);
/// How long a shard waits for the others before the load; and behind it, where those that are well come within moments.
const BEFORE: Duration = Duration::from_secs(60);
const BEHIND: Duration = Duration::from_secs(10);

/// A t = 0 that was agreed on.
pub(super) struct Agreed {
    pub(super) t0: Mono,
    /// On the origin's clock, which all have in common.
    said_ns: i64,
    clock: Offset,
    /// When this shard was told, after it was to begin; negative where it was in time.
    late_ns: i64,
}

impl TrialRunner<'_> {
    /// Waits until all shards have their connections; then the first one warms the cache, where it is to be warm, and says when t = 0 is.
    pub(super) async fn agree(
        &self,
        together: &JoinedShards,
        subject: &str,
        before: &Before,
        drive: &Drive,
    ) -> Result<Agreed, Failure> {
        // The first one may still be waiting for what the strategy before has under way, and gives the origin its rows.
        let ready = together.meet(String::new(), BEFORE + self.settings.scenario.quiet_budget()).await?;
        all_there(&ready, together.part, "before the load")?;
        let clock = self.meeting_clock(together).await?;
        let says = if together.leads() {
            let t0 = self.t0(subject, before, drive, LEAD).await?;
            (i128::from(t0.0) - i128::from(clock.to_ours_ns)).to_string()
        } else {
            String::new()
        };
        // The first one may be warming the cache.
        let met = together.meet(says, BEFORE + self.settings.scenario.warm_budget() * 2).await?;
        all_there(&met, together.part, "before the load")?;
        let said = met.said.into_iter().next().flatten().and_then(|said| said.parse().ok());
        let said_ns: i64 = said.ok_or_else(|| Failure::failed("the first shard did not say when t = 0 is: a bug"))?;
        let t0 = at(said_ns, clock);
        let late_ns = since_ns(self.clock.mono(), t0.minus(drive.warmup));
        Ok(Agreed { t0, said_ns, clock, late_ns })
    }

    /// Says, where there are several, that this shard's load is over, waits for the others', and tells how well t = 0 was kept.
    pub(super) async fn depart(&self, agreed: Option<Agreed>) -> Result<Option<PartStart>, Failure> {
        let Some((together, agreed)) = self.together.zip(agreed) else { return Ok(None) };
        let clock = self.meeting_clock(together).await?;
        let after_ns = since_ns(agreed.t0, at(agreed.said_ns, clock)).max(agreed.late_ns);
        let uncertainty_ns = agreed.clock.uncertainty_ns.max(clock.uncertainty_ns);
        // Their last requests may take as long as a time-out.
        let met = together.meet(String::new(), BEHIND + self.settings.scenario.load.timeout).await?;
        together.lose(&met.missing());
        Ok(Some(PartStart { after_ns, uncertainty_ns }))
    }

    async fn meeting_clock(&self, together: &JoinedShards) -> Result<Offset, Failure> {
        offset(&together.origin, &self.clock).await.map_err(Failure::failed)
    }
}

/// A reading of the origin's clock on ours.
fn at(origin_ns: i64, clock: Offset) -> Mono {
    Mono(u64::try_from(i128::from(origin_ns) + i128::from(clock.to_ours_ns)).unwrap_or(0))
}
