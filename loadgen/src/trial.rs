//! One strategy's run, from its start on every replica to the evidence of what it did.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use app::cache_source::CacheStatus;
use app::control::{
    Identity, LedgerRow, OriginCounters, ReplicaCounters, ReplicaEvents, StartOrigin, StartReplica, Warm, Warmed,
};
use app::control_client::ControlError;
use app::runtime::RealClock;
use app::serve::Shutdown;
use report::record::EventRow;
use scenarios::{LoadKind, Plan};
use strategies::Spec;
use strategies::port::Clock;
use strategies::time::{Mono, nanos};
use tokio::sync::{mpsc, watch};

use crate::drive::{Drive, Fleet, Pacer, Pattern};
use crate::exit::Failure;
use crate::faults;
use crate::lab::{Endpoints, Offset, offset};
use crate::measure::{Circumstances, Evidence, Figures, Flights, Seen, compare, doubts, event_rows, figures};
use crate::progress::Progress;
use crate::record::{Collected, Collector};
use crate::settings::Settings;

/// From the decision to start to t = start of the warm-up: time for the clients' tasks to be there.
const LEAD: Duration = Duration::from_millis(20);
/// How long flights and requests may go on after the load.
const QUIESCE_BUDGET: Duration = Duration::from_secs(30);
/// How often a run that is under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Generator threads at most; one drives more requests than a laptop's replicas answer.
const WORKERS_MAX: usize = 4;

/// What all strategies of a run share.
pub struct Bench<'a> {
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
}

/// A strategy's result, ready to be written.
pub struct Trial {
    /// Record and rows.
    pub figures: Figures,
    /// `events.jsonl`.
    pub events: Vec<EventRow>,
    /// The recorder's sums, with the histograms for the log.
    pub collected: Collected,
    /// When t = 0 was, on the wall clock.
    pub t0_wall: SystemTime,
    /// The origin's clock against ours.
    pub origin_clock: Offset,
    /// The worst uncertainty of all clocks.
    pub clock_uncertainty_ns: u64,
}

/// The state of the world before the load.
struct Before {
    cache: CacheStatus,
    identities: Vec<String>,
    replica_clocks: Vec<Offset>,
    origin_clock: Offset,
}

/// What the load left behind.
struct Load {
    t0: Mono,
    /// The same moment on the wall clock.
    t0_wall: SystemTime,
    /// Where the measured phase ended, nanoseconds since t = 0: at its planned end, or where Ctrl-C cut it short.
    end_ns: i64,
    collected: Collected,
    worker_died: bool,
    counters: ReplicaCounters,
    faults: Vec<EventRow>,
}

impl Bench<'_> {
    /// Runs one strategy.
    ///
    /// # Errors
    /// [`Failure`] where the lab fails; what a strategy does badly is in the record.
    pub async fn run(&self, spec: &Spec, folder: &str, heading: &str) -> Result<Trial, Failure> {
        self.start(spec, folder).await.map_err(Failure::failed)?;
        let before = self.before().await.map_err(Failure::failed)?;
        let load = self.load(&before, heading).await?;
        let not_quiet = self.quiesce().await.map_err(Failure::failed)?;
        self.evidence(spec, folder, &before, load, not_quiet).await.map_err(Failure::failed)
    }

    async fn start(&self, spec: &Spec, folder: &str) -> Result<(), ControlError> {
        let (scenario, seed) = (&self.settings.scenario, self.settings.seed);
        let origin = StartOrigin {
            items: scenario.keys.n,
            value_bytes: scenario.keys.value_size,
            concurrency: scenario.origin.concurrency,
            queue: scenario.origin.queue,
            service_time: scenario.origin.service_time.into(),
            seed,
            write_every_ns: scenario.origin.write_every.map(nanos),
        };
        self.endpoints.origin.post::<()>("/start", &origin).await?;
        let replica = StartReplica {
            namespace: format!("{}:{folder}", self.run),
            strategy: spec.name().to_owned(),
            ttl_ns: nanos(scenario.cache.ttl),
            seed,
        };
        for end in &self.endpoints.replicas {
            end.control.post::<()>("/start", &replica).await?;
        }
        Ok(())
    }

    async fn before(&self) -> Result<Before, ControlError> {
        let mut replica_clocks = Vec::new();
        for end in &self.endpoints.replicas {
            replica_clocks.push(offset(&end.control, &self.clock).await?);
        }
        Ok(Before {
            cache: self.endpoints.replicas[0].control.get("/cache").await?,
            identities: self.identities().await?,
            replica_clocks,
            origin_clock: offset(&self.endpoints.origin, &self.clock).await?,
        })
    }

    async fn identities(&self) -> Result<Vec<String>, ControlError> {
        let mut identities = Vec::new();
        for end in &self.endpoints.replicas {
            identities.push(end.control.get::<Identity>("/identity").await?.incarnation);
        }
        Ok(identities)
    }

    /// Connects the clients, warms the cache where the scenario says so, and drives the load to its end.
    async fn load(&self, before: &Before, heading: &str) -> Result<Load, Failure> {
        let drive = self.drive();
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get() / 2);
        let workers = match drive.pattern {
            Pattern::Closed { clients } => threads.clamp(1, WORKERS_MAX).min(clients as usize),
            Pattern::Open => threads.clamp(1, WORKERS_MAX),
        };
        let no_thread = |e| Failure::failed(format!("no thread for the generator: {e}"));
        let collector = Collector::start(workers).map_err(no_thread)?;
        let recorders = (0..workers).map(|_| collector.recorder(drive.first_second())).collect();
        let (tell_start, start) = watch::channel(None);
        let (tell_ready, mut ready) = mpsc::unbounded_channel();
        let fleet = Fleet::start(&drive, recorders, &start, &tell_ready).map_err(no_thread)?;
        drop(tell_ready);
        for _ in 0..workers {
            let ended = || Err("a generator thread ended before it was ready".into());
            ready.recv().await.unwrap_or_else(ended).map_err(Failure::failed)?;
        }
        let t0 = self.t0(before, &drive).await.map_err(Failure::failed)?;
        let (wall, mono) = (SystemTime::now(), self.clock.mono());
        let t0_wall = wall.checked_sub(mono.since(t0)).unwrap_or(wall) + t0.since(mono);
        tell_start.send_replace(Some(t0));
        let watching = self.watch(&fleet, t0, &drive, heading);
        let (pace, told) = (self.pacer.handle(), Mutex::default());
        let faulting = faults::inject(&self.settings.scenario, self.endpoints, &pace, self.clock, t0, &told);
        let counters = tokio::select! {
            biased;
            counters = watching => counters.map_err(Failure::failed)?,
            // The faults are over before the load is; what is left is to watch.
            counters = async { faulting.await; std::future::pending().await } => counters,
        };
        let stopped = self.clock.mono();
        let faults = told.into_inner().unwrap_or_else(PoisonError::into_inner);
        let worker_died = !fleet.join();
        let collected =
            collector.collected().ok_or_else(|| Failure::failed("the collector's thread panicked: a bug"))?;
        let planned = i64::try_from(nanos(drive.duration)).unwrap_or(i64::MAX);
        let now = i64::try_from(i128::from(stopped.0) - i128::from(t0.0)).unwrap_or(i64::MAX);
        let end_ns = if self.stop.is_said() { planned.min(now.max(0)) } else { planned };
        Ok(Load { t0, t0_wall, end_ns, collected, worker_died, counters, faults })
    }

    fn drive(&self) -> Drive {
        let scenario = &self.settings.scenario;
        let pattern = match scenario.load.kind {
            LoadKind::Closed { clients, .. } => Pattern::Closed { clients },
            LoadKind::Open { .. } => Pattern::Open,
        };
        Drive {
            plan: Arc::clone(&self.plan),
            pattern,
            replicas: self.endpoints.replicas.iter().map(|end| end.data).collect(),
            hot_key: scenario.keys.hot_key(),
            warmup: scenario.load.warmup,
            duration: scenario.load.duration,
            timeout: scenario.load.timeout,
            clock: self.clock,
            pace: self.pacer.handle(),
            stop: self.stop.clone(),
        }
    }

    /// t = 0 on our clock: the last put of the burst, or the end of the warm-up that begins now.
    async fn t0(&self, before: &Before, drive: &Drive) -> Result<Mono, ControlError> {
        if self.settings.scenario.warm.is_none() {
            return Ok(self.clock.mono().plus(LEAD + drive.warmup));
        }
        let scenario = &self.settings.scenario;
        let warm = Warm { items: scenario.keys.n, at_once: scenario.origin.concurrency };
        let warmed: Warmed = self.endpoints.replicas[0].control.post("/warm", &warm).await?;
        Ok(Mono(warmed.last_put_mono_ns.saturating_add_signed(before.replica_clocks[0].to_ours_ns)))
    }

    /// Shows progress until the fleet has ended; returns what the replicas counted from t = 0 on.
    async fn watch(
        &self,
        fleet: &Fleet,
        t0: Mono,
        drive: &Drive,
        heading: &str,
    ) -> Result<ReplicaCounters, ControlError> {
        let mut progress = Progress::begin(self.settings.quiet, heading, drive.warmup + drive.duration);
        let begun = t0.minus(drive.warmup);
        let mut at_start = None;
        while !fleet.ended() {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.clock.mono();
            if at_start.is_none() && now >= t0 {
                at_start = Some(self.counters().await?);
            }
            if progress.is_shown() {
                let reads = self.endpoints.origin.get::<OriginCounters>("/counters").await?.arrived;
                progress.at(now.since(begun), reads);
            }
        }
        let (first, last) = (at_start.unwrap_or_default(), self.counters().await?);
        progress.end("done");
        Ok(ReplicaCounters {
            requests: last.requests.saturating_sub(first.requests),
            cache_ops: last.cache_ops.saturating_sub(first.cache_ops),
            in_flight: last.in_flight,
        })
    }

    async fn counters(&self) -> Result<ReplicaCounters, ControlError> {
        let mut sum = ReplicaCounters::default();
        for end in &self.endpoints.replicas {
            let counters: ReplicaCounters = end.control.get("/counters").await?;
            sum.requests += counters.requests;
            sum.cache_ops += counters.cache_ops;
            sum.in_flight += counters.in_flight;
        }
        Ok(sum)
    }

    /// Waits until nothing is under way any more, background included; what still is at the end is counted.
    async fn quiesce(&self) -> Result<u64, ControlError> {
        let begun = self.clock.mono();
        let mut said = self.settings.quiet;
        loop {
            let at_origin = self.endpoints.origin.get::<OriginCounters>("/counters").await?.in_flight;
            let open = self.counters().await?.in_flight + at_origin;
            if open == 0 || self.clock.mono().since(begun) > QUIESCE_BUDGET {
                return Ok(open);
            }
            if !said && self.clock.mono().since(begun) > Duration::from_secs(2) {
                said = true;
                let line = format!(
                    "the load is over; waiting up to {} s for {open} reads and requests\n",
                    QUIESCE_BUDGET.as_secs()
                );
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn evidence(
        &self,
        spec: &Spec,
        folder: &str,
        before: &Before,
        load: Load,
        not_quiet: u64,
    ) -> Result<Trial, ControlError> {
        let ledger: Vec<LedgerRow> = self.endpoints.origin.get("/ledger").await?;
        let mut replicas: Vec<ReplicaEvents> = Vec::new();
        for end in &self.endpoints.replicas {
            replicas.push(end.control.get("/events").await?);
        }
        let cache_after = self.endpoints.replicas[0].control.get::<CacheStatus>("/cache").await;
        let identities = self.identities().await?;
        let uncertainty =
            before.replica_clocks.iter().chain([&before.origin_clock]).map(|c| c.uncertainty_ns).max().unwrap_or(0);

        let t0_ns = i64::try_from(load.t0.0).unwrap_or(i64::MAX);
        let seen: Vec<Seen<'_>> = (0_u32..)
            .zip(replicas.iter().zip(&before.replica_clocks))
            .map(|(replica, (events, clock))| Seen { replica, events, offset_ns: clock.to_ours_ns - t0_ns })
            .collect();
        let end_ns = load.end_ns;
        let mut own = phases(self.settings.scenario.load.warmup, end_ns);
        own.extend(load.faults.iter().cloned());
        let events = event_rows(&seen, own, end_ns);
        let flights = Flights::of(&replicas);
        let collected = &load.collected;
        let evidence = Evidence {
            scenario: &self.settings.scenario,
            spec,
            folder: folder.to_owned(),
            end_ns,
            collected,
            ledger: &ledger,
            origin_offset_ns: before.origin_clock.to_ours_ns - t0_ns,
            events: &events,
            ledgers: compare(&flights, &ledger, &collected.flights, collected.errors_of_all_phases),
            counters: load.counters,
        };
        let mut figures = figures(&evidence);
        let restarted = identities.iter().zip(&before.identities).filter(|(now, then)| now != then).count();
        let failed: Vec<&EventRow> = events.iter().filter(|e| e.event == "cache-failed").collect();
        let warm = !self.settings.scenario.load.warmup.is_zero() && !self.stop.is_said();
        let open_loop = matches!(self.settings.scenario.load.kind, LoadKind::Open { .. });
        let circumstances = Circumstances {
            open_loop: open_loop && !self.stop.is_said(),
            planned: collected.offered,
            clock_uncertainty_ns: uncertainty,
            hits_before_start: warm.then_some(collected.hits_before_start),
            cache_errors: failed.len() as u64,
            cache_error_classes: classes(&failed),
            cache_fault_planned: false,
            evicted: cache_after.as_ref().map_or(0, |now| now.evicted.saturating_sub(before.cache.evicted)),
            cache_restarted: cache_after.as_ref().is_ok_and(|now| now.incarnation != before.cache.incarnation),
            cache_unknown: cache_after.err().map(|e| e.to_string()),
            replicas_restarted: u32::try_from(restarted).unwrap_or(u32::MAX),
            events_dropped: replicas.iter().map(|r| r.dropped).sum(),
            not_quiet,
            wrong_bodies: collected.errors.get("wrong-body").copied().unwrap_or(0),
            worker_died: load.worker_died,
            faults_failed: load.faults.iter().filter(|e| e.event == "fault-failed").count() as u64,
        };
        figures.strategy.invalid_because = doubts(&figures.strategy, &circumstances);
        figures.strategy.valid = figures.strategy.invalid_because.is_empty();
        Ok(Trial {
            figures,
            events,
            collected: load.collected,
            t0_wall: load.t0_wall,
            origin_clock: before.origin_clock,
            clock_uncertainty_ns: uncertainty,
        })
    }

    /// The cache's own name, as the replicas see it.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be reached.
    pub async fn cache_name(&self, cache_note: &str) -> Result<String, Failure> {
        let status = self.endpoints.replicas[0].control.get::<CacheStatus>("/cache").await;
        let advice = "start it, give another with --redis, or use --cache memory";
        status
            .map(|s| s.server)
            .map_err(|e| Failure::failed(format!("the shared cache does not answer · {cache_note} · {e} · {advice}")))
    }
}

fn phases(warmup: Duration, end_ns: i64) -> Vec<EventRow> {
    let begun = -i64::try_from(nanos(warmup)).unwrap_or(i64::MAX);
    let row =
        |t_ns, phase: &str| EventRow { t_ns, event: "phase".into(), detail: Some(phase.into()), ..EventRow::default() };
    let mut rows = vec![row(0, "measured"), row(end_ns, "drain")];
    if begun < 0 {
        rows.insert(0, row(begun, "warmup"));
    }
    rows
}

/// The different failures of cache operations, for a sentence: `get down, put down`.
fn classes(failed: &[&EventRow]) -> String {
    let mut classes: Vec<&str> = failed.iter().filter_map(|e| e.detail.as_deref()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes.join(", ")
}
