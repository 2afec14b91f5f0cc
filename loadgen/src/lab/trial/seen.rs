//! What was seen of a strategy's run, in whichever lab, before anything is concluded from it.

use evidence::{Heartbeat, OriginRead, OriginWrite, RedirectCounts, ReplicaCounters, ReplicaEvents};
use report::record::{ContainerRow, ServerRow, ShardFigures, ShardRow, Strategy};
use report::{ReportError, StrategyFolder};
use serde::{Deserialize, Serialize};

use crate::lab::Offset;
use crate::lab::faults::Aftermath;
use crate::load::drive::Probed;
use crate::load::measure::{
    EventLines, ImmortalsSeen, LineLists, Part, ReadList, Reads, RunFacts, server_figures, shard_figures,
};
use crate::load::record::{Collected, Slowest};

/// Everything that was seen.
pub struct Observation {
    /// What the world's parts said.
    pub world: WorldSeen,
    /// How the generator fared.
    pub share: ShareSeen,
    /// What the generator wrote down.
    pub collected: Collected,
    /// The origin's ledger, where it is ours.
    pub reads: Option<Box<dyn Reads + Send>>,
    /// What the replicas told; `None` of a target.
    pub lines: Option<Box<dyn EventLines + Send>>,
    /// What a target answered to the question before the load.
    pub probed: Option<Probed>,
}

/// How the generator fared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShareSeen {
    /// What the hearts of its workers told; `None` in virtual time.
    pub heartbeat: Option<Heartbeat>,
    /// From its clock to nanoseconds since t = 0.
    pub to_t0_ns: i64,
    /// Whether a worker of it ended in a panic.
    pub worker_died: bool,
    /// Processor time of its workers over the time for which they ran.
    pub cpu_cores: Option<f64>,
    /// How its t = 0 came about, where several processes had to agree on one.
    pub start: Option<PartStart>,
    /// Whether Ctrl-C cut it short.
    pub stopped: bool,
}

/// How well a process's t = 0 was the others'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStart {
    /// Its t = 0 after the one that was agreed on, nanoseconds, by another look at the clocks after the load; and not before the moment at
    /// which it began to drive.
    pub after_ns: i64,
    /// How wrong that can be: half the shortest round trip.
    pub uncertainty_ns: u64,
}

/// What the parts of the world said, but for the two lists that can be long.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct WorldSeen {
    /// t = 0 on the generator's clock.
    pub t0_ns: i64,
    /// Where the measured phase ended, nanoseconds since t = 0.
    pub end_ns: i64,
    /// Whether Ctrl-C cut it short.
    pub stopped: bool,
    /// The origin's clock, where it is ours.
    pub origin_clock: Option<Offset>,
    /// The origin's ledger of writes, where anything is written.
    pub writes: Vec<OriginWrite>,
    /// Who told the events; `None` of a target.
    pub told: Option<Tellers>,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
    /// The planned events: what took effect, and what did not; and what follows from them.
    pub aftermath: Aftermath,
    /// How the lab's parts fared; none of a simulated one.
    pub parts: Vec<Part>,
    /// What is known beside all that. What follows from the rest is filled in when the run is judged.
    pub facts: RunFacts,
    /// What was sampled while the load went on.
    pub sampled: TrialSamples,
    /// Processor time of the generator's workers over the time for which they ran.
    pub cpu_cores: Option<f64>,
    /// Counters without an end, where the strategy counts.
    pub immortals: Option<ImmortalsSeen>,
    /// Whether it is a simulation: no connection is ever lost, and redirections are counted where they are answered.
    pub is_virtual: bool,
}

/// The replicas, as those who told of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tellers {
    /// How many there are.
    pub count: u32,
    /// Events that their logs had no room for.
    pub dropped: u64,
    /// How wrong their clocks can be, nanoseconds; the worst.
    pub uncertainty_ns: u64,
}

impl Tellers {
    /// Of the lists that replicas have sent, and each one's clock; `None` where there are none.
    #[must_use]
    pub fn of(lists: &[(ReplicaEvents, Offset)]) -> Option<Self> {
        let uncertainty_ns = lists.iter().map(|(_, clock)| clock.uncertainty_ns).max()?;
        let dropped = lists.iter().map(|(list, _)| list.dropped).sum();
        Some(Self { count: u32::try_from(lists.len()).unwrap_or(u32::MAX), dropped, uncertainty_ns })
    }
}

/// The lists that replicas have sent, on the run's time line.
#[must_use]
pub fn told_lists(lists: Vec<(ReplicaEvents, Offset)>, t0_ns: i64) -> Box<dyn EventLines + Send> {
    let lists = lists.into_iter().map(|(list, clock)| (list, clock.to_ours_ns.saturating_sub(t0_ns))).collect();
    Box::new(LineLists::new(lists))
}

/// The ledger that an origin has sent.
#[must_use]
pub fn read_list(rows: Vec<OriginRead>) -> Box<dyn Reads + Send> {
    Box::new(ReadList::new(rows))
}

/// What was sampled while a load went on; `None` where there was nothing to sample.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TrialSamples {
    /// `containers.csv`, of a lab in containers.
    pub containers: Option<Vec<ContainerRow>>,
    /// `cache.csv`, where the cache's server can be asked.
    pub server: Option<Vec<ServerRow>>,
    /// `shards.csv`, where the cache is a cluster.
    pub shards: Option<Vec<ShardRow>>,
}

impl TrialSamples {
    /// Writes what there is.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write(&self, files: &StrategyFolder) -> Result<(), ReportError> {
        self.containers.iter().try_for_each(|rows| files.write_containers(rows))?;
        self.server.iter().try_for_each(|rows| files.write_server(rows))?;
        self.shards.iter().try_for_each(|rows| files.write_shards(rows))
    }
}

impl WorldSeen {
    /// Adds to a strategy's figures what the samples say of servers and of the generator.
    pub(super) fn add_sampled(&self, strategy: &mut Strategy, slowest: Option<&Slowest>) {
        let rows = self.sampled.server.as_deref().unwrap_or_default();
        strategy.generator_cpu_cores = self.cpu_cores;
        strategy.server = server_figures(rows, slowest, strategy.requests, self.end_ns);
        strategy.shards = self.nodes();
        if self.is_virtual {
            strategy.resent = None;
        }
    }

    /// How the load lay on a cluster's nodes, with the redirections that the replicas were told.
    fn nodes(&self) -> Option<ShardFigures> {
        let figures = shard_figures(self.sampled.shards.as_deref()?, self.end_ns)?;
        let counted = self.counters.redirects.or(self.is_virtual.then(RedirectCounts::default));
        let told = counted.map(|of| of.moved + of.ask + of.try_again);
        let figures = ShardFigures { told, ..figures };
        // In virtual time every answer of a node reaches the replica that asked.
        Some(match counted.filter(|_| self.is_virtual) {
            Some(RedirectCounts { moved, ask, try_again }) => ShardFigures { moved, ask, try_again, ..figures },
            None => figures,
        })
    }
}
