//! A strategy's run in a world that is up: started, warmed, loaded, and asked for what it did.

use std::sync::Arc;
use std::time::Duration;

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use app::wire::control::{ConfigureServer, Identity, ItemsWire, StartOrigin, StartReplica};
use app::wire::control_client::{ControlClient, ControlError};
use evidence::{CacheStatus, Heartbeat, OriginCounters, ReplicaCounters};
use report::StrategyFolder;
use scenarios::Plan;
use strategies::Spec;
use strategies::time::{Mono, nanos};

use super::judge::judge;
use super::seen::{Observation, PartStart};
use super::together::JoinedShards;
use super::{Trial, TrialSamples};
use crate::cli::settings::{Settings, Subject};
use crate::lab::faults::Aftermath;
use crate::lab::preflight::status;
use crate::lab::{Endpoints, Offset, offset};
use crate::load::drive::Pacer;
use crate::load::live::Feed;
use crate::load::measure::ImmortalsSeen;
use crate::load::record::Collected;
use crate::shell::exit::Failure;

/// How much longer a server in a container stays set up than the load lasts: for what is before and after it.
const SET_UP_MARGIN: Duration = Duration::from_secs(120);

/// What all strategies of a run share.
pub struct TrialRunner<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The world.
    pub endpoints: &'a Endpoints,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's name, the first part of its cache namespaces.
    pub run: &'a str,
    /// The generator's clock.
    pub clock: RealClock,
    /// The generator's pacer.
    pub pacer: &'a Pacer,
    /// Ctrl-C.
    pub stop: Shutdown,
    /// Told how it goes.
    pub feed: Feed,
    /// The others, where several processes drive the run.
    pub together: Option<&'a JoinedShards>,
}

/// The state of the world before the load.
pub(super) struct Before {
    pub(super) cache: Option<CacheStatus>,
    pub(super) identities: Vec<String>,
    pub(super) replica_clocks: Vec<Offset>,
    pub(super) origin_clock: Option<Offset>,
}

/// What the load left behind.
pub(super) struct LoadDone {
    pub(super) t0: Mono,
    /// Where the measured phase ended, nanoseconds since t = 0: at its planned end, or where Ctrl-C cut it short.
    pub(super) end_ns: i64,
    pub(super) collected: Collected,
    pub(super) worker_died: bool,
    /// Processor time of the generator's workers over the time for which they ran.
    pub(super) cpu_cores: Option<f64>,
    /// What the hearts of the generator's workers told.
    pub(super) hearts: Vec<Heartbeat>,
    pub(super) counters: ReplicaCounters,
    pub(super) aftermath: Aftermath,
    pub(super) sampled: TrialSamples,
    pub(super) immortals: Option<ImmortalsSeen>,
    /// How t = 0 came about, where several processes agreed on it.
    pub(super) start: Option<PartStart>,
}

impl TrialRunner<'_> {
    /// Runs one strategy, and writes its latency log into `files` while it does.
    ///
    /// # Errors
    /// [`Failure`] where the lab fails; what a strategy does badly is in the record.
    pub async fn run(&self, subject: &Subject, files: &StrategyFolder, heading: &str) -> Result<Trial, Failure> {
        let seen = self.observe(subject, files, heading).await?;
        judge(&self.settings.scenario, subject, self.settings.keeps_copies(), seen)
    }

    /// The same, but concludes nothing.
    ///
    /// # Errors
    /// As [`TrialRunner::run`].
    pub async fn observe(
        &self,
        subject: &Subject,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<Observation, Failure> {
        self.set_up_server().await?;
        self.start(subject).await.map_err(Failure::failed)?;
        let probed = self.probe(subject).await?;
        let before = self.before().await?;
        let load = self.load(subject, &before, files, heading).await?;
        if let Some(why) = self.plan.fault() {
            return Err(Failure::failed(why));
        }
        let not_quiet = self.quiesce().await.map_err(Failure::failed)?;
        let seen = self.evidence(&before, load, not_quiet).await?;
        self.tell_unknown_words();
        Ok(Observation { probed, ..seen })
    }

    /// Gives the Redis in a container the scenario's settings for as long as one strategy takes, and takes away what another run left.
    async fn set_up_server(&self) -> Result<(), Failure> {
        let Some(proxy) = &self.endpoints.proxy else { return Ok(()) };
        let of = &self.settings.scenario;
        let length = of.warm_budget() * 2 + of.load.warmup + of.load.duration + SET_UP_MARGIN;
        let set = ConfigureServer { settings: of.cache.redis.for_server(), for_ns: nanos(length) };
        proxy.control.post::<()>("/configure", &set).await.map_err(|why| {
            Failure::failed(format!(
                "the stack's Redis cannot be set up · [cache.redis] · {why} · take that setting out, or use --lab local, whose server is \
                 started with it"
            ))
        })
    }

    async fn start(&self, subject: &Subject) -> Result<(), ControlError> {
        let (scenario, seed) = (&self.settings.scenario, self.settings.seed);
        if let Some(origin) = &self.endpoints.origin {
            let start = StartOrigin {
                items: scenario.keys.existing(),
                sizes: ItemsWire::of(&scenario.sizes(), |law| (*law).into()),
                compressible: scenario.keys.compressible,
                concurrency: scenario.origin.concurrency,
                queue: scenario.origin.queue,
                service_time: scenario.origin.service_time.into(),
                write_time: scenario.origin.write_time.map(Into::into),
                seed,
                write_every_ns: scenario.origin.write_every.map(nanos),
            };
            origin.post::<()>("/start", &start).await?;
        }
        for (control, start) in self.endpoints.replicas.iter().zip(self.starts(subject)) {
            control.post::<()>("/start", &start).await?;
        }
        Ok(())
    }

    /// What each replica is started with.
    pub(super) fn starts(&self, subject: &Subject) -> Vec<StartReplica> {
        let ttls_ns = ItemsWire::of(&self.settings.scenario.ttls(), |ttl| nanos(*ttl));
        let start = |index| StartReplica {
            namespace: namespace(self.run, &subject.folder, self.settings.scenario.keys.one_slot),
            strategy: subject.strategy.as_ref().map_or(subject.name.as_str(), Spec::name).to_owned(),
            ttls_ns: ttls_ns.clone(),
            window_ns: self.settings.scenario.counting.map(|counting| nanos(counting.window)),
            seed: self.settings.seed,
            budgets: self.settings.scenario.budgets.into(),
            slots: self.settings.scenario.slots.map(Into::into),
            index: u16::try_from(index).ok(),
            watches_cache: index == 0,
        };
        (0..self.endpoints.replicas.len()).map(start).collect()
    }

    async fn before(&self) -> Result<Before, Failure> {
        let mut replica_clocks = Vec::new();
        for control in &self.endpoints.replicas {
            replica_clocks.push(offset(control, &self.clock).await.map_err(Failure::failed)?);
        }
        let origin_clock = match &self.endpoints.origin {
            Some(origin) => Some(offset(origin, &self.clock).await.map_err(Failure::failed)?),
            None => None,
        };
        let cache = match self.endpoints.replicas.first() {
            Some(replica) => Some(status(self.settings, self.endpoints, replica).await?),
            None => None,
        };
        let identities = self.identities().await.map_err(Failure::failed)?;
        Ok(Before { cache, identities, replica_clocks, origin_clock })
    }

    pub(super) async fn identities(&self) -> Result<Vec<String>, ControlError> {
        let mut identities = Vec::new();
        for control in &self.endpoints.replicas {
            identities.push(control.get::<Identity>("/identity").await?.incarnation);
        }
        Ok(identities)
    }

    pub(super) async fn counters(&self) -> Result<ReplicaCounters, ControlError> {
        let mut sum = ReplicaCounters::default();
        for control in &self.endpoints.replicas {
            let counters: ReplicaCounters = control.get("/counters").await?;
            sum = sum.and(counters);
        }
        Ok(sum)
    }
}

/// Reads in flight at an origin; none where it is nobody of ours.
pub(super) async fn in_flight(origin: Option<&ControlClient>) -> Result<u64, ControlError> {
    match origin {
        Some(origin) => Ok(origin.get::<OriginCounters>("/counters").await?.in_flight),
        None => Ok(0),
    }
}

/// The namespace of a strategy's run in the cache. In braces it is the hash tag of all its keys, so that they lie in one slot of a cluster:
/// of several tags in a key the first counts.
fn namespace(run: &str, folder: &str, one_slot: bool) -> String {
    let plain = format!("{run}:{folder}");
    if one_slot { format!("{{{plain}}}") } else { plain }
}

/// From `t0` to `now`, nanoseconds; negative before it.
pub(super) fn since_ns(now: Mono, t0: Mono) -> i64 {
    i64::try_from(i128::from(now.0) - i128::from(t0.0)).unwrap_or(i64::MAX)
}
