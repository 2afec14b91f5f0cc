//! The closed loop: C clients, each of whom waits for its answer, thinks, and asks again.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use strategies::port::Clock;
use strategies::time::Mono;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinSet, LocalSet};

use super::connection::Connection;
use super::{Drive, Start};
use crate::record::{Answer, Asked, Recorder};

/// How often a worker hands over its finished seconds.
const ROLL_EVERY: Duration = Duration::from_millis(250);

/// The worker threads of one strategy, connected and waiting for the start.
pub struct Fleet {
    threads: Vec<JoinHandle<()>>,
}

impl Fleet {
    /// Starts one thread for each recorder; clients are dealt out in turn. Each worker says so on `ready` when its
    /// clients are connected, or with what kept them from it.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        drive: &Drive,
        recorders: Vec<Recorder>,
        start: &Start,
        ready: &UnboundedSender<Result<(), String>>,
    ) -> std::io::Result<Self> {
        let workers = recorders.len();
        let mut threads = Vec::new();
        for (number, recorder) in recorders.into_iter().enumerate() {
            let (drive, start, ready) = (drive.clone(), start.clone(), ready.clone());
            let clients: Vec<u32> = (0..drive.clients).skip(number).step_by(workers).collect();
            let work = move || worker(drive, clients, recorder, start, &ready);
            threads.push(std::thread::Builder::new().name(format!("generator-{number}")).spawn(work)?);
        }
        Ok(Self { threads })
    }

    /// Whether every worker has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the workers. False where one of them panicked.
    #[must_use]
    pub fn join(self) -> bool {
        self.threads.into_iter().map(JoinHandle::join).fold(true, |good, ended| good & ended.is_ok())
    }
}

fn worker(
    drive: Drive,
    clients: Vec<u32>,
    recorder: Recorder,
    start: Start,
    ready: &UnboundedSender<Result<(), String>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = ready.send(Err(format!("no runtime for a generator thread: {e}")));
            return;
        }
    };
    LocalSet::new().block_on(&runtime, work(drive, clients, recorder, start, ready));
}

async fn work(
    drive: Drive,
    clients: Vec<u32>,
    recorder: Recorder,
    mut start: Start,
    ready: &UnboundedSender<Result<(), String>>,
) {
    let mut connected = Vec::new();
    for client in clients {
        match connect(&drive).await {
            Ok(connections) => connected.push((client, connections)),
            Err(kind) => {
                let _ = ready.send(Err(format!("a client could not connect: {kind}")));
                return;
            }
        }
    }
    let _ = ready.send(Ok(()));
    let Ok(t0) = start.wait_for(Option::is_some).await.map(|t0| t0.unwrap_or_default()) else { return };
    let last_second = drive.last_second();
    let recorder = Rc::new(RefCell::new(recorder));
    let drive = Rc::new(drive);
    let mut running = JoinSet::new();
    for (client, connections) in connected {
        let (drive, recorder) = (Rc::clone(&drive), Rc::clone(&recorder));
        running.spawn_local(run_client(client, connections, drive, recorder, t0));
    }
    let mut ticks = tokio::time::interval(ROLL_EVERY);
    loop {
        tokio::select! {
            biased;
            ended = running.join_next() => if ended.is_none() { break },
            _ = ticks.tick() => recorder.borrow_mut().roll(since(drive.clock.mono(), t0)),
        }
    }
    if let Some(recorder) = Rc::into_inner(recorder) {
        let now = since(drive.clock.mono(), t0).div_euclid(1_000_000_000);
        recorder.into_inner().finish(if drive.stop.is_said() { last_second.min(now) } else { last_second });
    }
}

async fn connect(drive: &Drive) -> Result<Vec<Connection>, String> {
    let mut connections: Vec<_> = drive.replicas.iter().map(|at| Connection::to(*at, drive.timeout)).collect();
    for connection in &mut connections {
        connection.connect().await?;
    }
    Ok(connections)
}

async fn run_client(
    client: u32,
    mut connections: Vec<Connection>,
    drive: Rc<Drive>,
    recorder: Rc<RefCell<Recorder>>,
    t0: Mono,
) {
    let end = t0.plus(drive.duration);
    let mut stop = drive.stop.clone();
    let mut intended = t0.minus(drive.warmup).plus(drive.plan.first_send(client));
    for n in 0_u64.. {
        if intended >= end {
            return;
        }
        let item = drive.plan.item(client, n);
        let hot = drive.hot_key == Some(item.key);
        let asked = Asked { intended_ns: since(intended, t0), key: item.key, hot };
        recorder.borrow_mut().offer(&asked);
        tokio::select! {
            biased;
            () = stop.wait() => return recorder.borrow_mut().withdraw(&asked),
            () = drive.pace.until(intended) => {}
        }
        let connection = &mut connections[item.replica as usize];
        let sent = drive.clock.mono();
        let reply = connection.get(&item.key.to_string()).await;
        let done = drive.clock.mono();
        let answer = Answer {
            sent_ns: since(sent, t0),
            done_ns: since(done, t0),
            outcome: reply.outcome,
            error: reply.error,
            flight: reply.flight,
            overage_us: reply.overage_us,
        };
        recorder.borrow_mut().answer(&asked, answer);
        intended = done.plus(drive.plan.think(client, n));
    }
}

/// Nanoseconds from t = 0 to `at`; negative before it.
fn since(at: Mono, t0: Mono) -> i64 {
    i64::try_from(i128::from(at.0) - i128::from(t0.0)).unwrap_or(i64::MAX)
}
