//! One read, from its arrival to its end, and what a run may set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use evidence::{OriginCounters, OriginFault, OriginRead, OriginWrite, ReadEnd};
use scenarios::{Law, ServiceModel, SizeLaw, VALUE_SIZE_MAX};
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;

use super::ledger::Ledger;
use super::meetings::Meetings;
use super::metrics::OriginMetrics;
use super::places::Places;
use super::store::{CONNECTIONS_MAX, Store, StoredItem, select};
use super::value::ValueShape;
use crate::process::heartbeat::Heart;
use crate::process::runtime::RealClock;
use crate::wire::control::{FaultOrigin, SizesWire, StartOrigin};

/// How many times slower a fault can make the origin.
const SLOWER_MAX: f64 = 1000.0;

/// The origin service.
pub struct OriginService {
    pub(super) clock: RealClock,
    pub(super) incarnation: u64,
    pub(super) heart: Heart,
    pub(super) meetings: Meetings,
    store: Store,
    run: Mutex<Arc<Run>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    metrics: Arc<OriginMetrics>,
}

/// What a run set, and what came of it.
struct Run {
    places: Places,
    model: ServiceModel,
    /// Of writes.
    write_model: ServiceModel,
    seed: u64,
    /// Reads and writes that have had a place: the number that service times are drawn by.
    begun: AtomicU64,
    writes_missed: AtomicU64,
    ledger: Ledger,
    fault: Mutex<Option<(OriginFault, Mono)>>,
    /// Whether there are fewer connections than places.
    shares: bool,
}

impl Run {
    fn new(start: &StartOrigin) -> Self {
        Self {
            places: Places::new(start.concurrency, start.queue),
            model: ServiceModel::new(Law::from(start.service_time)),
            write_model: ServiceModel::new(Law::from(start.write_time.unwrap_or(start.service_time))),
            seed: start.seed,
            begun: AtomicU64::new(0),
            writes_missed: AtomicU64::new(0),
            ledger: Ledger::default(),
            fault: Mutex::default(),
            shares: start.concurrency > CONNECTIONS_MAX,
        }
    }

    /// What is wrong now, and until when.
    fn fault(&self, now: Mono) -> Option<(OriginFault, Mono)> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).filter(|(_, until)| now < *until)
    }
}

/// How a read failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadError {
    Full,
    Failed(String),
}

/// Marks a read whose caller is gone: dropped before it was told.
struct Listening {
    run: Arc<Run>,
    row: usize,
    told: bool,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if !self.told {
            self.run.ledger.abandon(self.row);
        }
    }
}

impl OriginService {
    pub(super) fn new(store: Store, incarnation: u64) -> Result<Self, String> {
        // Before the first start there is nothing to read and no place to read it in.
        let law = crate::wire::control::LawWire::Constant { ns: 0 };
        let none = StartOrigin {
            items: 0,
            sizes: SizesWire::Constant { bytes: 0 }.into(),
            compressible: 0.0,
            concurrency: 0,
            queue: 0,
            service_time: law,
            write_time: None,
            seed: 0,
            write_every_ns: None,
        };
        let run = Mutex::new(Arc::new(Run::new(&none)));
        let (clock, writer, metrics) = (RealClock::start(), Mutex::default(), OriginMetrics::new()?);
        let (heart, meetings) = (Heart::default(), Meetings::default());
        Ok(Self { clock, incarnation, heart, meetings, store, run, writer, metrics })
    }

    /// Seeds the rows and begins an empty ledger.
    ///
    /// # Errors
    /// A sentence where a setting is out of range, or with SQLite's own words.
    pub async fn start(&self, start: StartOrigin) -> Result<(), String> {
        if start.concurrency == 0 {
            return Err("concurrency is 0; at least 1 is needed".into());
        }
        let sizes = start.sizes.read(|law| SizeLaw::from(*law));
        let most = sizes.values().map(SizeLaw::p99).max().unwrap_or(0);
        if most > VALUE_SIZE_MAX {
            return Err(format!("values of {most} bytes; at most {VALUE_SIZE_MAX} are possible"));
        }
        let shape = ValueShape { seed: start.seed, sizes, compressible: start.compressible };
        self.stop_writer();
        let database = |e: sqlx::Error| format!("the origin's database: {e}");
        self.store.seed(start.items, shape).await.map_err(database)?;
        self.store.open_places(start.concurrency).await.map_err(database)?;
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Run::new(&start));
        self.heart.restart(&self.clock);
        self.metrics.started(start.concurrency, Law::from(start.service_time).mean(), start.items);
        if let Some(every) = start.write_every_ns.filter(|ns| *ns > 0) {
            self.start_writer(Duration::from_nanos(every));
        }
        Ok(())
    }

    fn start_writer(&self, every: Duration) {
        let (store, run) = (self.store.clone(), self.current());
        let writing = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.tick().await; // the first tick is now
            loop {
                ticks.tick().await;
                // A write that found the file busy is made up for by the next one; but it is told.
                if store.write_all().await.is_err() {
                    run.writes_missed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writing);
    }

    fn stop_writer(&self) {
        if let Some(writing) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            writing.abort();
        }
    }

    /// Makes something wrong for a while.
    ///
    /// # Errors
    /// A sentence where the factor of a slow origin is out of range.
    pub fn inject(&self, fault: FaultOrigin) -> Result<(), String> {
        if let OriginFault::Slow(factor) = fault.kind
            && !(0.0..=SLOWER_MAX).contains(&factor)
        {
            return Err(format!("the factor is {factor}; 0 to {SLOWER_MAX} are possible"));
        }
        let until = self.clock.mono().plus(Duration::from_nanos(fault.for_ns));
        *self.current().fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((fault.kind, until));
        Ok(())
    }

    /// The ledger as it stands.
    pub fn ledger(&self) -> Vec<OriginRead> {
        self.current().ledger.snapshot()
    }

    /// The ledger of writes as it stands.
    pub fn writes(&self) -> Vec<OriginWrite> {
        self.current().ledger.writes()
    }

    /// Its sums.
    pub fn counters(&self) -> OriginCounters {
        let run = self.current();
        OriginCounters { writes_missed: run.writes_missed.load(Ordering::Relaxed), ..run.ledger.counters() }
    }

    /// What Prometheus is told.
    pub(super) fn metrics(&self) -> Response {
        self.metrics.queued.set(i64::try_from(self.current().places.waiting()).unwrap_or(i64::MAX));
        self.metrics.families.text()
    }

    pub(super) async fn close(&self) {
        self.stop_writer();
        // A read that nobody waits for any more must not hold up the end.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.store.close()).await;
    }

    fn current(&self) -> Arc<Run> {
        Arc::clone(&self.run.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One read. The work runs on a task of its own, so that a caller that goes away leaves its load behind.
    pub(super) async fn read(
        &self,
        key: &str,
        flight: &str,
        replica: Option<u32>,
    ) -> Result<Option<StoredItem>, ReadError> {
        let run = self.current();
        let arrived = self.clock.mono();
        let (row, under_way) = (run.ledger.arrive(key, flight, replica, arrived.0), self.metrics.arrive(key));
        let mut listening = Listening { run: Arc::clone(&run), row, told: false };
        let (tell, told) = oneshot::channel();
        let (store, clock, key) = (self.store.clone(), self.clock, key.to_owned());
        tokio::spawn(async move {
            let answer = work(&run, row, &store, clock, &key).await;
            let (outcome, now) = (ended(&answer), clock.mono());
            under_way.end(run.ledger.end(row, outcome, now.0), now.since(arrived));
            let _ = tell.send(answer);
        });
        let answer = told.await.unwrap_or_else(|_| Err(ReadError::Failed("the read's task ended early".into())));
        listening.told = true;
        answer
    }

    /// One write, and the item as it left it. On a task of its own, like a read.
    pub(super) async fn write(
        &self,
        key: &str,
        flight: &str,
        replica: Option<u32>,
    ) -> Result<Option<StoredItem>, ReadError> {
        let (run, store, clock) = (self.current(), self.store.clone(), self.clock);
        let row = run.ledger.arrive_write(key, flight, replica, clock.mono().0);
        let _gone = Gone { run: Arc::clone(&run), row };
        let key = key.to_owned();
        let work = tokio::spawn(async move {
            let answer = change(&run, row, &store, clock, &key).await;
            let outcome = ended(&answer);
            run.ledger.note(row, |write| write.end(outcome, clock.mono().0));
            answer
        });
        work.await.unwrap_or_else(|_| Err(ReadError::Failed("the write's task ended early".into())))
    }
}

/// Marks a write whose caller is gone: dropped before the write was over.
struct Gone {
    run: Arc<Run>,
    row: usize,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.run.ledger.note(self.row, OriginWrite::abandon);
    }
}

/// How a read, or a write, stands in its ledger that ended so.
fn ended(answer: &Result<Option<StoredItem>, ReadError>) -> ReadEnd {
    match answer {
        Ok(Some(_)) => ReadEnd::Ok,
        Ok(None) => ReadEnd::Missing,
        Err(ReadError::Full) => ReadEnd::Rejected,
        Err(ReadError::Failed(_)) => ReadEnd::Failed,
    }
}

/// A write takes a place like a read, and is committed at the end of its service time.
async fn change(
    run: &Run,
    row: usize,
    store: &Store,
    clock: RealClock,
    key: &str,
) -> Result<Option<StoredItem>, ReadError> {
    let place = begin(run, clock).await?;
    let begun = clock.mono();
    run.ledger.note(row, |write| write.start_ns = Some(begun.0));
    serve(run, clock, run.write_model, begun).await;
    let commit_began = clock.mono();
    let item = store.write(key).await.map_err(failed)?;
    let committed = clock.mono();
    if let Some(item) = &item {
        run.ledger.note(row, |write| {
            write.version = Some(item.version);
            (write.commit_began_ns, write.committed_ns) = (Some(commit_began.0), Some(committed.0));
        });
    }
    drop(place);
    Ok(item)
}

/// A place, unless the origin fails or is full.
async fn begin(run: &Run, clock: RealClock) -> Result<OwnedSemaphorePermit, ReadError> {
    match run.fault(clock.mono()) {
        Some((OriginFault::Fail, _)) => return Err(ReadError::Failed("the origin is failing".into())),
        Some((OriginFault::Pause, until)) => clock.sleep(until.since(clock.mono())).await,
        Some((OriginFault::Slow(_), _)) | None => {}
    }
    run.places.take().await.ok_or(ReadError::Full)
}

fn failed(error: sqlx::Error) -> ReadError {
    ReadError::Failed(error.to_string())
}

async fn work(
    run: &Run,
    row: usize,
    store: &Store,
    clock: RealClock,
    key: &str,
) -> Result<Option<StoredItem>, ReadError> {
    let place = begin(run, clock).await?;
    let mut connection = store.place().await.map_err(failed)?;
    let begun = clock.mono();
    run.ledger.start(row, begun.0);
    let item = select(&mut connection, key).await.map_err(failed)?;
    let held = (!run.shares).then_some(connection);
    serve(run, clock, run.model, begun).await;
    drop(held);
    drop(place);
    Ok(item)
}

/// Waits until the service time of what begun then is over. However long it waited for its place: how slow it is, it is from then on.
async fn serve(run: &Run, clock: RealClock, model: ServiceModel, begun: Mono) {
    let number = run.begun.fetch_add(1, Ordering::Relaxed);
    let slower = match run.fault(begun) {
        Some((OriginFault::Slow(factor), _)) => factor,
        _ => 1.0,
    };
    let service = model.service_time(run.seed, number).mul_f64(slower);
    clock.sleep(begun.plus(service).since(clock.mono())).await;
}
