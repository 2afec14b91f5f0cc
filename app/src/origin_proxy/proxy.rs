//! A counting proxy: its upstream, what it counts as a read, and the ledger of the run that was started last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::book::Book;
use super::items::Items;
use super::upstream::{Connector, CountedOrigin};
use crate::process::heartbeat::Heart;
use crate::process::runtime::RealClock;

/// How long an idle connection to the upstream is kept: less than servers usually wait before they close one, which is five seconds and more.
const IDLE: Duration = Duration::from_secs(4);

/// A counting proxy.
pub struct OriginProxy {
    pub(super) upstream: CountedOrigin,
    pub(super) items: Items,
    /// How long the upstream may take to answer, and each piece of its body.
    pub(super) patience: Duration,
    pub(super) client: Client<Connector, Incoming>,
    pub(super) clock: RealClock,
    pub(super) heart: Heart,
    pub(super) incarnation: u64,
    pub(super) book: Mutex<Option<Arc<Book>>>,
    /// Reads of items, and other requests, since it was started.
    pub(super) reads: AtomicU64,
    pub(super) others: AtomicU64,
}

impl OriginProxy {
    /// One in front of `upstream`.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn new(upstream: CountedOrigin, items: Items, patience: Duration) -> Result<Arc<Self>, String> {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .set_host(false)
            .build(Connector::to(&upstream));
        Ok(Arc::new(Self {
            upstream,
            items,
            patience,
            client,
            clock: RealClock::start(),
            heart: Heart::default(),
            incarnation: crate::wire::auth::entropy()?,
            book: Mutex::default(),
            reads: AtomicU64::new(0),
            others: AtomicU64::new(0),
        }))
    }

    /// Reads of items that have passed since it was started, and other requests.
    #[must_use]
    pub fn passed(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.others.load(Ordering::Relaxed))
    }

    /// The ledger of the run that was started last.
    pub(super) fn book(&self) -> Option<Arc<Book>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn begin(&self, book: Book) {
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(book));
        self.heart.restart(&self.clock);
    }
}
