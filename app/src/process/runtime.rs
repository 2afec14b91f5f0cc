//! Real time and real background work behind the ports: tokio and the machine's clocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use strategies::port::{BoxFuture, Clock, Spawn};
use strategies::time::{Mono, Wall, nanos};

/// The machine's clocks. `mono` counts from when this clock was made.
#[derive(Debug, Clone, Copy)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for RealClock {
    fn mono(&self) -> Mono {
        Mono(nanos(self.start.elapsed()))
    }

    fn wall(&self) -> Wall {
        Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos))
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(d))
    }
}

/// Spawns on the current tokio runtime, and knows how much of it is still running.
#[derive(Clone, Default)]
pub struct CountedSpawn {
    running: Arc<AtomicU64>,
}

impl CountedSpawn {
    /// Background tasks that have not ended.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Acquire)
    }
}

impl Spawn for CountedSpawn {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        let counted = Counted::one(&self.running);
        tokio::spawn(async move {
            work.await;
            drop(counted);
        });
    }

    fn attend(&self, work: BoxFuture<'static, ()>) {
        tokio::spawn(work);
    }
}

/// One of something, as long as it lives: dropped however its owner ends.
pub(crate) struct Counted(Arc<AtomicU64>);

impl Counted {
    pub(crate) fn one(of: &Arc<AtomicU64>) -> Self {
        of.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(of))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
