//! The load of one strategy: connect, warm, drive, watch, and wait until all is quiet.

use std::cell::RefCell;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use app::wire::control::{WarmBurst, Warmed};
use app::wire::control_client::ControlError;
use evidence::{OriginCounters, OriginRead, ReplicaCounters};
use report::{HlogHeader, StrategyFolder};
use strategies::port::Clock;
use strategies::time::{Mono, nanos};
use tokio::sync::{mpsc, watch};

use super::agree::Agreed;
use super::collecting::{Collecting, begin, collector};
use super::runner::{Before, LoadDone, TrialRunner, in_flight, since_ns};
use super::{TrialSamples, cannot_warm};
use crate::cli::settings::Subject;
use crate::lab::docker::Sampler;
use crate::lab::faults::{Aftermath, Injector};
use crate::lab::server::ServerSampler;
use crate::lab::shards::ShardSampler;
use crate::load::drive::{Drive, Pattern, Retrying, Workers};
use crate::load::measure::WarmState;
use crate::load::record::{Collector, Recorder};
use crate::shell::exit::Failure;
use crate::shell::progress::Progress;

/// From the decision to start to t = start of the warm-up: time for the clients' tasks to be there.
const LEAD: Duration = Duration::from_millis(20);
/// How often a run that is under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Generator threads at most; one drives more requests than a laptop's replicas answer.
const WORKERS_MAX: usize = 4;

/// On how many threads the generator drives.
fn workers(pattern: Pattern) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() / 2).clamp(1, WORKERS_MAX);
    match pattern {
        Pattern::Closed { clients } => threads.min(clients as usize),
        Pattern::Open => threads,
    }
}

/// Waits until every generator thread has its connections.
async fn all_ready(ready: &mut mpsc::UnboundedReceiver<Result<(), String>>, workers: usize) -> Result<(), Failure> {
    for _ in 0..workers {
        let ended = || Err("a generator thread ended before it was ready".into());
        ready.recv().await.unwrap_or_else(ended).map_err(Failure::failed)?;
    }
    Ok(())
}

/// What is sampled beside the load.
struct Samplers {
    containers: Option<Sampler>,
    server: Option<ServerSampler>,
    shards: Option<ShardSampler>,
}

impl Samplers {
    /// What was sampled, on the time line that begins at `t0`.
    fn rows(self, t0: Mono) -> TrialSamples {
        TrialSamples {
            containers: self.containers.map(|sampler| sampler.rows(t0)),
            server: self.server.map(|sampler| sampler.rows(t0)).filter(|rows| !rows.is_empty()),
            shards: self.shards.map(|sampler| sampler.rows(t0)).filter(|rows| !rows.is_empty()),
        }
    }
}

impl TrialRunner<'_> {
    /// Connects the clients, warms the cache where the scenario says so, and drives the load to its end.
    pub(super) async fn load(
        &self,
        subject: &Subject,
        before: &Before,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<LoadDone, Failure> {
        let drive = self.drive();
        let workers = workers(drive.pattern);
        let scenario = &self.settings.scenario;
        let is_part = self.together.is_some();
        let collector =
            collector(scenario, subject, Collecting { workers, bounded: true, is_part, folder: files.path() })?;
        collector.watched_by(self.feed.clone());
        let recorders = (0..workers).map(|_| self.recorder(&collector, &drive)).collect();
        let (tell_start, start) = watch::channel(None);
        let (tell_ready, mut ready) = mpsc::unbounded_channel();
        let began = self.clock.mono();
        let fleet = Workers::start(&drive, recorders, &start, &tell_ready).map_err(no_thread)?;
        drop(tell_ready);
        all_ready(&mut ready, workers).await?;
        let (t0, agreed) = self.start_at(subject, before, &drive).await?;
        begin(&collector, files, self.header(&drive, t0), is_part).map_err(Failure::failed)?;
        tell_start.send_replace(Some(t0));
        let watching = self.watch(&fleet, t0, before, &collector, &drive, heading);
        let (pace, lives) = (self.pacer.handle(), before.identities.clone());
        let injector = Injector::new(scenario, self.endpoints, self.starts(subject), lives, self.clock, t0);
        let samplers = self.samplers().await?;
        let immortals = RefCell::default();
        let at_start = tokio::select! {
            biased;
            at_start = watching => at_start,
            at_start = self.look(subject, t0, &immortals) => at_start,
            // The faults are over before the load is; what is left is to watch.
            at_start = async { injector.inject(&pace).await; std::future::pending().await } => at_start,
        };
        let stopped = self.clock.mono();
        // Whatever else went wrong: nothing stays broken.
        injector.heal().await.map_err(Failure::failed)?;
        let aftermath = injector.aftermath();
        let start = self.depart(agreed).await?;
        let counters = self.since(at_start.map_err(Failure::failed)?, &aftermath).await.map_err(Failure::failed)?;
        let worked = fleet.join();
        let cpu_cores = cores(worked.cpu_ns, nanos(stopped.since(began)));
        let panicked = || Failure::failed("the collector's thread panicked: a bug");
        let collected = collector.collected().ok_or_else(panicked)?.map_err(Failure::failed)?;
        Ok(LoadDone {
            t0,
            end_ns: self.end_ns(drive.duration, t0, stopped),
            collected,
            worker_died: !worked.well,
            cpu_cores,
            hearts: worked.hearts,
            counters,
            aftermath,
            sampled: samplers.rows(t0),
            immortals: subject.counter.as_ref().map(|_| immortals.into_inner().end()),
            start,
        })
    }

    /// The log's time stamps are wall time, counted from its first second.
    fn header(&self, drive: &Drive, t0: Mono) -> HlogHeader {
        let (wall, mono) = (SystemTime::now(), self.clock.mono());
        let t0_wall = wall.checked_sub(mono.since(t0)).unwrap_or(wall) + t0.since(mono);
        let t0_offset_ms = drive.first_second().min(0).unsigned_abs() * 1000;
        let began = t0_wall.checked_sub(Duration::from_millis(t0_offset_ms));
        HlogHeader { warmup_began: began.unwrap_or(t0_wall), t0_offset_ms }
    }

    /// A worker's recorder. Where a server is watched, it is told when the slowest requests were under way.
    fn recorder(&self, collector: &Collector, drive: &Drive) -> Recorder {
        collector.recorder(drive.first_second()).keeping_slowest(self.endpoints.asked_server().is_some())
    }

    /// Where the measured phase ended, nanoseconds since t = 0: as planned, or where it was stopped.
    fn end_ns(&self, planned: Duration, t0: Mono, stopped: Mono) -> i64 {
        let planned = i64::try_from(nanos(planned)).unwrap_or(i64::MAX);
        let now = i64::try_from(i128::from(stopped.0) - i128::from(t0.0)).unwrap_or(i64::MAX);
        if self.stop.is_said() { planned.min(now.max(0)) } else { planned }
    }

    /// Begins to sample whatever this lab has.
    async fn samplers(&self) -> Result<Samplers, Failure> {
        let containers = match &self.endpoints.stack {
            Some(stack) => Some(Sampler::start(&stack.engine, self.clock).await.map_err(Failure::failed)?),
            None => None,
        };
        let server = self.endpoints.asked_server().and_then(|server| ServerSampler::start(server, self.clock));
        let shards = ShardSampler::start(self.endpoints.cluster.as_ref(), self.clock);
        Ok(Samplers { containers, server, shards })
    }

    /// What the replicas counted since t = 0; nothing where an event ended one, for its counts ended with it.
    async fn since(&self, at_start: ReplicaCounters, aftermath: &Aftermath) -> Result<ReplicaCounters, ControlError> {
        let now = self.counters().await?;
        if !aftermath.ended.is_empty() {
            return Ok(ReplicaCounters::default());
        }
        Ok(now.since(at_start))
    }

    fn drive(&self) -> Drive {
        let scenario = &self.settings.scenario;
        Drive {
            plan: Arc::clone(&self.plan),
            part: self.together.map(|together| together.part),
            pattern: Pattern::from(&scenario.load.kind),
            sites: self.endpoints.sites.clone(),
            keys: scenario.keys.clone(),
            warmup: scenario.load.warmup,
            duration: scenario.load.duration,
            timeout: scenario.load.timeout,
            on_down: scenario.load.on_down,
            writes: scenario.writes.is_some(),
            retrying: Retrying::of(scenario.load.retry, self.settings.seed),
            clock: self.clock,
            pace: self.pacer.handle(),
            stop: self.stop.clone(),
        }
    }

    /// t = 0 on our clock, and how the processes agreed on it, where there are several.
    async fn start_at(
        &self,
        subject: &Subject,
        before: &Before,
        drive: &Drive,
    ) -> Result<(Mono, Option<Agreed>), Failure> {
        match self.together {
            None => Ok((self.t0(&subject.name, before, drive, LEAD).await?, None)),
            Some(together) => {
                let agreed = self.agree(together, &subject.name, before, drive).await?;
                Ok((agreed.t0, Some(agreed)))
            }
        }
    }

    /// t = 0 on our clock: the last put of the burst, of a target the last answer to it, or the end of the warm-up that begins after `lead`.
    pub(super) async fn t0(
        &self,
        subject: &str,
        before: &Before,
        drive: &Drive,
        lead: Duration,
    ) -> Result<Mono, Failure> {
        if let Some(target) = self.settings.target.as_ref().filter(|_| self.settings.scenario.warm.is_some()) {
            return self.fill(target, before.origin_clock).await;
        }
        let burst = self.settings.scenario.warm.and(self.endpoints.replicas.first().zip(before.replica_clocks.first()));
        let Some((replica, clock)) = burst else { return Ok(self.clock.mono().plus(lead + drive.warmup)) };
        let scenario = &self.settings.scenario;
        let aged = scenario.warm == Some(scenarios::Warm::BurstAged);
        let (items, at_once, budget) = (scenario.keys.ranks(), scenario.origin.concurrency, scenario.warm_budget());
        let warm = WarmBurst { items, at_once, aged, within_ns: nanos(budget) };
        // The puts come after the reads, and may take as long: 200 of them two seconds, which is what they take where each is made four times.
        let warmed: Result<Warmed, _> = replica.post_within(budget * 2, "/warm", &warm).await;
        let warmed = warmed.map_err(|why| cannot_warm(scenario, subject, why))?;
        Ok(Mono(warmed.last_put_mono_ns.saturating_add_signed(clock.to_ours_ns)))
    }

    /// Shows progress until the fleet has ended; tells the collector at t = 0 what the cache has, and returns what the
    /// replicas had counted then.
    async fn watch(
        &self,
        fleet: &Workers,
        t0: Mono,
        before: &Before,
        collector: &Collector,
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
                for control in &self.endpoints.replicas {
                    control.post::<()>("/mark", &()).await?;
                }
                self.tell_state(collector, t0, before).await?;
            }
            if progress.is_shown() || self.feed.is_open() {
                let reads = match &self.endpoints.origin {
                    Some(origin) => Some(origin.get::<OriginCounters>("/counters").await?.arrived),
                    None => None,
                };
                if let Some(reads) = reads {
                    self.feed.arrived(since_ns(now, t0), reads);
                }
                progress.at(now.since(begun), reads, self.feed.latest());
            }
        }
        progress.end("done");
        Ok(at_start.unwrap_or_default())
    }

    /// What the warm-up or the burst left in the cache, for the floor.
    async fn tell_state(&self, collector: &Collector, t0: Mono, before: &Before) -> Result<(), ControlError> {
        if let (Some(origin), Some(clock)) = (&self.endpoints.origin, &before.origin_clock) {
            let ledger: Vec<OriginRead> = origin.get("/ledger").await?;
            let t0_ns = i64::try_from(t0.0).unwrap_or(i64::MAX);
            let mut state = WarmState::new(&self.settings.scenario, clock.to_ours_ns - t0_ns);
            ledger.iter().for_each(|row| state.see(row));
            collector.warm(state.known());
        }
        Ok(())
    }

    /// Waits until nothing is under way any more, background included; what still is at the end is counted.
    pub(super) async fn quiesce(&self) -> Result<u64, ControlError> {
        let (begun, budget) = (self.clock.mono(), self.settings.scenario.quiet_budget());
        let mut said = self.settings.quiet;
        loop {
            let open = self.counters().await?.in_flight + in_flight(self.endpoints.origin.as_ref()).await?;
            if open == 0 || self.clock.mono().since(begun) > budget {
                return Ok(open);
            }
            if !said && self.clock.mono().since(begun) > Duration::from_secs(2) {
                said = true;
                let line =
                    format!("the load is over; waiting up to {} s for {open} reads and requests\n", budget.as_secs());
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn no_thread(error: std::io::Error) -> Failure {
    Failure::failed(format!("no thread for the generator: {error}"))
}

/// Processor time over elapsed time, in hundredths of a core.
fn cores(cpu_ns: Option<u64>, elapsed_ns: u64) -> Option<f64> {
    cpu_ns.filter(|_| elapsed_ns > 0).map(|cpu| (cpu as f64 / elapsed_ns as f64 * 100.0).round() / 100.0)
}
