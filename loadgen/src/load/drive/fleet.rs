//! The worker threads of a strategy: each with a runtime, clients and a recorder of its own; what is the same whatever
//! makes the next request come.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use app::process::heartbeat::{BEAT, Heart};
use evidence::Heartbeat;
use strategies::port::Clock;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::MissedTickBehavior;

use super::pool::ConnectionPool;
use super::shared::{Drive, Pattern, StartSignal};
use super::worker::{Share, WorkerContext, since};
use super::{closed, lack, open, writes};
use crate::load::cpu;
use crate::load::record::Recorder;

/// How often a worker hands over its finished seconds.
const ROLL_EVERY: Duration = Duration::from_millis(250);

/// The worker threads of one strategy, connected and waiting for the start.
pub struct Workers {
    threads: Vec<JoinHandle<(Option<u64>, Heartbeat)>>,
}

/// How the workers ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worked {
    /// None of them panicked.
    pub well: bool,
    /// Their processor time, nanoseconds; `None` where the system does not say.
    pub cpu_ns: Option<u64>,
    /// What their hearts told, on the generator's clock, from the start of the load on.
    pub hearts: Vec<Heartbeat>,
}

impl Workers {
    /// Starts one thread for each recorder; clients or arrivals are dealt out in turn. Each worker says so on `ready` when its
    /// clients are connected, or with what kept them from it.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        drive: &Drive,
        recorders: Vec<Recorder>,
        start: &StartSignal,
        ready: &UnboundedSender<Result<(), String>>,
    ) -> std::io::Result<Self> {
        let workers = recorders.len();
        let mut threads = Vec::new();
        for (number, recorder) in recorders.into_iter().enumerate() {
            let (drive, start, ready) = (drive.clone(), start.clone(), ready.clone());
            let share = Share::of(drive.part, number, workers);
            let work = move || {
                let (clock, heart) = (drive.clock, Heart::default());
                worker(drive, share, recorder, start, &ready, &heart);
                (cpu::of_this_thread_ns(), heart.told(&clock))
            };
            threads.push(std::thread::Builder::new().name(format!("generator-{number}")).spawn(work)?);
        }
        Ok(Self { threads })
    }

    /// Whether every worker has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the workers.
    #[must_use]
    pub fn join(self) -> Worked {
        let ended: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
        let well = ended.iter().all(Result::is_ok);
        let (cpu, hearts): (Vec<_>, Vec<_>) = ended.into_iter().filter_map(Result::ok).unzip();
        Worked { well, cpu_ns: cpu.into_iter().sum::<Option<u64>>().filter(|_| well), hearts }
    }
}

fn worker(
    drive: Drive,
    share: Share,
    recorder: Recorder,
    start: StartSignal,
    ready: &UnboundedSender<Result<(), String>>,
    heart: &Heart,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = ready.send(Err(format!("no runtime for a generator thread: {e}")));
            return;
        }
    };
    let context = Rc::new(WorkerContext { drive, recorder: RefCell::new(recorder), share });
    LocalSet::new().block_on(&runtime, work(context, start, ready, heart));
}

async fn work(
    context: Rc<WorkerContext>,
    mut start: StartSignal,
    ready: &UnboundedSender<Result<(), String>>,
    heart: &Heart,
) {
    let connected = match context.drive.pattern {
        Pattern::Closed { .. } => closed::connect(&context).await.map(Connected::Closed),
        Pattern::Open => open::connect(&context).await.map(Connected::Open),
    };
    let connected = match connected {
        Ok(connected) => connected,
        Err(kind) => {
            let kind = kind.to_string();
            let lacked = lack::in_words(&kind).map(|lacked| format!("the generator has no more {lacked}"));
            let why = lacked.unwrap_or(kind);
            let _ = ready.send(Err(format!("a client could not connect: {why}")));
            return;
        }
    };
    context.drive.plan.prepare();
    let _ = ready.send(Ok(()));
    let Ok(t0) = start.wait_for(Option::is_some).await.map(|t0| t0.unwrap_or_default()) else { return };
    let mut running = JoinSet::new();
    let pool = match connected {
        Connected::Closed(clients) => {
            closed::spawn(&context, clients, t0, &mut running);
            Rc::new(RefCell::new(ConnectionPool::empty(&context)))
        }
        Connected::Open(pool) => {
            let pool = Rc::new(RefCell::new(pool));
            open::spawn(&context, &pool, t0, &mut running);
            pool
        }
    };
    writes::spawn(&context, &pool, t0, &mut running);
    let mut ticks = tokio::time::interval(ROLL_EVERY);
    heart.restart_from(&context.drive.clock, t0.minus(context.drive.warmup));
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            ended = running.join_next() => if ended.is_none() { break },
            _ = beats.tick() => heart.beat(&context.drive.clock),
            _ = ticks.tick() => context.recorder.borrow_mut().roll(since(context.drive.clock.mono(), t0)),
        }
    }
    if let Some(WorkerContext { drive, recorder, .. }) = Rc::into_inner(context) {
        let (last, now) = (drive.last_second(), since(drive.clock.mono(), t0).div_euclid(1_000_000_000));
        recorder.into_inner().finish(if drive.stop.is_said() { last.min(now) } else { last });
    }
}

enum Connected {
    Closed(Vec<closed::Client>),
    Open(ConnectionPool),
}
