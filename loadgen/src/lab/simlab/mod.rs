//! The sim lab: strategies, plan, recorder and report as in the real labs, in a world that is simulated.
//!
//! Two runs with the same seed leave the same bytes behind but for three fields of `run.json` (`run`, `started_at` and
//! `command`), whatever machine they ran on.

mod looking;
mod shards;
mod tapes;
mod witness;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use app::process::shutdown::Shutdown;
use hdrhistogram::Histogram;
use report::record::{Environment, EventRow};
use report::{HlogHeader, StrategyFolder};
use scenarios::{Plan, Scenario, ScenarioEvent};
use sim::{EPOCH_NS, Happened, Latencies, Simulation, SimulationError, SimulationResult, Tick, simulate};
use strategies::Spec;
use strategies::counter::CounterSpec;
use strategies::time::{Mono, nanos};

use crate::cli::settings::{Settings, Subject};
use crate::lab::Offset;
use crate::lab::faults::{self, Aftermath, NodeWindow};
use crate::lab::trial::{
    Collecting, Observation, ShareSeen, Tellers, Trial, TrialSamples, WorldSeen, begin, cannot_warm, collector, judge,
};
use crate::load::live::Feed;
use crate::load::measure::{Immortals, RunFacts, WarmState};
use crate::load::record::{Collected, Collector};
use crate::shell::exit::Failure;
use crate::shell::progress::Progress;
use looking::looks;
use tapes::{Tapes, since_start};
use witness::RecordingWitness;

/// The sim lab's cache, as the record names it.
pub const CACHE: &str = "memory (virtual)";

/// No machine at all: what a simulation says must not depend on one.
#[must_use]
pub fn environment() -> Environment {
    Environment {
        os: "virtual".into(),
        arch: "virtual".into(),
        cpu: None,
        cores: 0,
        memory_mib: None,
        build: "virtual".into(),
        load_average_percent: None,
    }
}

/// What all strategies of a simulated run share. A clone is sent to the thread that simulates.
#[derive(Clone)]
pub struct SimLab {
    settings: Settings,
    plan: Arc<Plan>,
    stop: Shutdown,
    feed: Option<Feed>,
    steps_max: Option<u32>,
}

impl SimLab {
    /// A lab for these settings. `stop` ends a run early.
    #[must_use]
    pub fn new(settings: &Settings, plan: Arc<Plan>, stop: Shutdown) -> Self {
        Self { settings: settings.clone(), plan, stop, feed: None, steps_max: None }
    }

    /// The same, with somebody who is told how it goes.
    #[must_use]
    pub fn watched_by(self, feed: Feed) -> Self {
        Self { feed: Some(feed), ..self }
    }

    /// The same, but a run that has cost so many [`Tick::steps`] is cut there.
    #[must_use]
    pub fn of_steps(self, steps_max: u32) -> Self {
        Self { steps_max: Some(steps_max), ..self }
    }

    /// Runs one strategy, on a thread of its own so that Ctrl-C is heard, and writes its latency log into `files`.
    ///
    /// # Errors
    /// [`Failure`] where a file cannot be written, or the cache could not be warmed.
    pub async fn run(&self, subject: &Subject, files: &StrategyFolder, heading: &str) -> Result<Trial, Failure> {
        let (lab, subject, files, heading) = (self.clone(), subject.clone(), files.clone(), heading.to_owned());
        let running = tokio::task::spawn_blocking(move || lab.simulate(&subject, Some(&files), &heading));
        running.await.unwrap_or_else(|_| Err(Failure::failed("the simulation panicked: a bug")))
    }

    /// The same as [`SimLab::run`], but concludes nothing.
    ///
    /// # Errors
    /// As [`SimLab::run`].
    pub async fn observed(
        &self,
        subject: &Subject,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<Observation, Failure> {
        let (lab, subject, files, heading) = (self.clone(), subject.clone(), files.clone(), heading.to_owned());
        let running = tokio::task::spawn_blocking(move || lab.observe(&subject, Some(&files), &heading));
        let seen = running.await.unwrap_or_else(|_| Err(Failure::failed("the simulation panicked: a bug")));
        Ok(seen?.0)
    }

    /// Runs one strategy on this thread; without `files` there is no latency log.
    ///
    /// # Errors
    /// As [`SimLab::run`].
    pub fn simulate(&self, subject: &Subject, files: Option<&StrategyFolder>, heading: &str) -> Result<Trial, Failure> {
        Ok(self.measured(subject, files, heading)?.trial)
    }

    /// The same, with what a record does not hold.
    ///
    /// # Errors
    /// As [`SimLab::run`].
    pub fn measured(
        &self,
        subject: &Subject,
        files: Option<&StrategyFolder>,
        heading: &str,
    ) -> Result<SimulatedRun, Failure> {
        let (seen, steps) = self.observe(subject, files, heading)?;
        let response = seen.collected.measured.first().cloned();
        let trial = judge(&self.settings.scenario, subject, self.settings.keeps_copies(), seen)?;
        Ok(SimulatedRun { trial, steps, response })
    }

    /// The same, but concludes nothing; and what it cost, in [`Tick::steps`].
    ///
    /// # Errors
    /// As [`SimLab::run`].
    pub fn observe(
        &self,
        subject: &Subject,
        files: Option<&StrategyFolder>,
        heading: &str,
    ) -> Result<(Observation, u32), Failure> {
        let scenario = &self.settings.scenario;
        // Nobody reads where something counts.
        let nobody = Spec::parse("plain + bare").map_err(|e| Failure::failed(format!("{e}: a bug")))?;
        let spec = match (&subject.strategy, &subject.counter) {
            (Some(spec), _) => spec,
            (None, Some(_)) => &nobody,
            (None, None) => return Err(Failure::failed("nothing to simulate: a bug")),
        };
        let collector = self.collector(subject, files)?;
        let scratch = files.map_or_else(std::env::temp_dir, |files| files.path().to_owned());
        let tapes = Tapes::new(&scratch);
        let recorder = collector.recorder(-whole_seconds(scenario.load.warmup));
        let witness = Rc::new(RefCell::new(RecordingWitness::new(recorder, &self.settings, spec, tapes.clone())));
        let done = Done::default();
        let immortals: Rc<RefCell<Immortals>> = Rc::default();
        let seen = simulate(
            self.simulation(spec, (subject.counter.as_ref(), &immortals), &tapes),
            &witness,
            self.tick(&witness, &collector, &tapes, &done, heading),
        );
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                collector.abandon();
                return Err(match error {
                    SimulationError::Warm(why) => cannot_warm(scenario, &subject.name, why),
                    SimulationError::StoodStill => Failure::failed(format!("{}: {error}", subject.name)),
                });
            }
        };
        if let Some(why) = self.plan.fault() {
            collector.abandon();
            return Err(Failure::failed(why));
        }
        let end_ns = done.cut_ns.get().map_or_else(|| self.end_ns(&seen), |cut| cut.clamp(0, self.end_ns(&seen)));
        let stopped = self.stop.is_said() || done.cut_ns.get().is_some();
        seen.ledger.iter().for_each(|read| tapes.read(read));
        if !done.warm.get() {
            let mut state = WarmState::new(scenario, -since_start(seen.t0.0));
            state.see_all(&tapes.reads()).map_err(Failure::failed)?;
            collector.warm(state.known());
        }
        let last = whole_seconds(Duration::from_nanos(end_ns.unsigned_abs())) - 1;
        witness.take().finish(last);
        drop(witness);
        let panicked = || Failure::failed("the collector's thread panicked: a bug");
        let collected = collector.collected().ok_or_else(panicked)?.map_err(Failure::failed)?;
        let seen = self.seen(&seen, &tapes, collected, (end_ns, stopped));
        let immortals = subject.counter.as_ref().map(|_| immortals.take().end());
        let world = WorldSeen { immortals, ..seen.world };
        Ok((Observation { world, ..seen }, done.steps.get()))
    }

    /// A recorder's other half, writing where there are files.
    fn collector(&self, subject: &Subject, files: Option<&StrategyFolder>) -> Result<Collector, Failure> {
        let scenario = &self.settings.scenario;
        let scratch = files.map_or_else(std::env::temp_dir, |files| files.path().to_owned());
        let is_part = self.settings.part.is_some();
        let collector =
            collector(scenario, subject, Collecting { workers: 1, bounded: false, is_part, folder: &scratch })?;
        if let Some(feed) = &self.feed {
            collector.watched_by(feed.clone());
        }
        if let Some(files) = files {
            begin(&collector, files, hlog_header(scenario), is_part).map_err(Failure::failed)?;
        }
        Ok(collector)
    }

    fn seen(
        &self,
        seen: &SimulationResult,
        tapes: &Tapes,
        collected: Collected,
        (end_ns, stopped): (i64, bool),
    ) -> Observation {
        let scenario = &self.settings.scenario;
        let rows = Some(shards::rows(&seen.shards, scenario.cache.simulated)).filter(|rows| !rows.is_empty());
        let fails = |event: &ScenarioEvent| event.action.kind.row().trouble.fails_cache_operations();
        let world = WorldSeen {
            t0_ns: since_start(seen.t0.0),
            end_ns,
            stopped,
            origin_clock: Some(EXACT),
            writes: seen.writes.clone(),
            told: Some(Tellers { count: self.settings.replicas.into(), dropped: 0, uncertainty_ns: 0 }),
            counters: seen.counters,
            aftermath: aftermath(&seen.happened, seen.t0.0),
            facts: RunFacts {
                cache_fault_planned: scenario.events.iter().any(fails),
                not_quiet: seen.not_quiet as u64,
                ..RunFacts::default()
            },
            sampled: TrialSamples { shards: rows, ..TrialSamples::default() },
            is_virtual: true,
            ..WorldSeen::default()
        };
        let (reads, lines) = (Box::new(tapes.reads()), Box::new(tapes.lines(seen.t0.0)));
        let share = ShareSeen { stopped, ..ShareSeen::default() };
        Observation { share, world, collected, reads: Some(reads), lines: Some(lines), probed: None }
    }

    fn simulation<'a>(
        &'a self,
        spec: &'a Spec,
        (counter, immortals): (Option<&'a CounterSpec>, &Rc<RefCell<Immortals>>),
        tapes: &Tapes,
    ) -> Simulation<'a> {
        let (log, ledger) = (tapes.clone(), tapes.clone());
        Simulation {
            scenario: &self.settings.scenario,
            plan: Arc::clone(&self.plan),
            spec,
            counter,
            samples: counter.map(|spec| looks(&self.settings.scenario, spec, Rc::clone(immortals))),
            replicas: self.settings.replicas,
            seed: self.settings.seed,
            latencies: Latencies::LOOPBACK,
            events: Box::new(move |replica, clock| log.log(replica, clock)),
            reads: Some(Box::new(move |read| ledger.read(&read))),
        }
    }

    /// What is done a few times a second: hand over finished seconds, show progress, look whether to stop; and once, after
    /// t = 0, tell the collector what the cache had then.
    fn tick(
        &self,
        witness: &Rc<RefCell<RecordingWitness>>,
        collector: &Collector,
        tapes: &Tapes,
        done: &Done,
        heading: &str,
    ) -> impl FnMut(Tick<'_>) -> bool + 'static {
        let (witness, tapes, done, collector, stop) =
            (Rc::clone(witness), tapes.clone(), done.clone(), collector.teller(), self.stop.clone());
        let steps_max = self.steps_max.unwrap_or(u32::MAX);
        let scenario = self.settings.scenario.clone();
        let (warmup, end_ns) = (scenario.load.warmup, since_start(nanos(scenario.load.duration)));
        let feed = self.feed.clone().unwrap_or_else(|| Feed::new(false));
        let mut progress = Progress::begin_virtual(self.settings.quiet, heading, warmup + scenario.load.duration);
        move |tick| {
            // Not into a second after the last one of the load.
            witness.borrow_mut().roll(tick.now_ns.min(end_ns - 1));
            if tick.now_ns >= 0 && !done.warm.replace(true) {
                let mut state = WarmState::new(&scenario, -since_start(tick.t0.0));
                // What cannot be read back now cannot later, and is told then.
                let _ = state.see_all(&tapes.reads());
                tick.origin.look(|reads| reads.iter().for_each(|read| state.see(&tapes::row(read))));
                collector.warm(state.known());
            }
            if feed.is_open() {
                feed.arrived(tick.now_ns, tick.origin.arrived());
            }
            if progress.is_shown() {
                let elapsed =
                    Duration::from_nanos(tick.now_ns.saturating_add(since_start(nanos(warmup))).unsigned_abs());
                progress.at(elapsed, Some(tick.origin.arrived()), feed.latest());
            }
            done.steps.set(tick.steps);
            if tick.steps > steps_max && done.cut_ns.get().is_none() {
                done.cut_ns.set(Some(tick.now_ns));
            }
            !stop.is_said() && done.cut_ns.get().is_none()
        }
    }

    /// Where the measured phase ended, nanoseconds since t = 0.
    fn end_ns(&self, seen: &SimulationResult) -> i64 {
        let planned = since_start(nanos(self.settings.scenario.load.duration));
        let ended = since_start(seen.ended.0).saturating_sub(since_start(seen.t0.0)).max(0);
        if self.stop.is_said() { planned.min(ended) } else { planned }
    }
}

/// A simulated run, and what its record does not hold.
pub struct SimulatedRun {
    /// What it left.
    pub trial: Trial,
    /// What it cost, in [`Tick::steps`].
    pub steps: u32,
    /// The response times of the measured requests, nanoseconds.
    pub response: Option<Histogram<u64>>,
}

/// What the ticks of a run have done.
#[derive(Clone, Default)]
struct Done {
    /// Told the collector what the cache had at t = 0.
    warm: Rc<Cell<bool>>,
    /// Cut the run, for it cost too much: nanoseconds after t = 0.
    cut_ns: Rc<Cell<Option<i64>>>,
    /// What it has cost so far.
    steps: Rc<Cell<u32>>,
}

/// In virtual time there is one clock.
const EXACT: Offset = Offset { to_ours_ns: 0, uncertainty_ns: 0 };

/// Seconds that are begun, rounded up.
fn whole_seconds(length: Duration) -> i64 {
    since_start(nanos(length).div_ceil(1_000_000_000))
}

/// The log's time stamps are virtual wall time.
fn hlog_header(scenario: &Scenario) -> HlogHeader {
    let t0_offset_ms = whole_seconds(scenario.load.warmup).unsigned_abs() * 1000;
    let t0 = UNIX_EPOCH + Duration::from_nanos(EPOCH_NS) + scenario.load.warmup;
    HlogHeader { warmup_began: t0 - Duration::from_millis(t0_offset_ms), t0_offset_ms }
}

/// What the events did; of what has an end of its own, when that was.
fn aftermath(happened: &[Happened], t0_ns: u64) -> Aftermath {
    let since = |at: Mono| since_start(at.0) - since_start(t0_ns);
    let windows = happened.iter().enumerate().filter(|(_, one)| one.over).filter_map(|(at, end)| {
        let begun = happened[..at].iter().rev().find(|one| !one.over && one.action == end.action)?;
        let (from_ns, to_ns) = (since(begun.at), since(end.at));
        Some(NodeWindow { kind: end.action.kind, from_ns, to_ns, times: end.times.clone() })
    });
    let windows = windows.collect();
    Aftermath {
        rows: happened.iter().map(|happened| fault_row(happened, t0_ns)).collect(),
        windows,
        ..Aftermath::default()
    }
}

fn fault_row(happened: &Happened, t0_ns: u64) -> EventRow {
    let replica = happened.replica.map(|replica| format!("replica-{replica}"));
    let detail = happened.action.sentence(replica.as_deref());
    let t_ns = since_start(happened.at.0) - since_start(t0_ns);
    if happened.over {
        return faults::over(t_ns, &happened.action, format!("{detail}: over"));
    }
    faults::fault(t_ns, &happened.action, detail, happened.replica.map(u32::from))
}
