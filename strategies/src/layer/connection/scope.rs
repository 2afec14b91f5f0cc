//! What a request holds of a pool, and how long it waited for it.
//!
//! An operation does not say for which request it is done: no port knows requests. So a request's scope is set while its work is polled,
//! and work that it leaves to the background takes the scope along.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::held::HeldConnection;
use crate::kit::current::{Current, within};
use crate::kit::time::nanos;
use crate::port::{BoxFuture, Spawn};

thread_local! {
    /// Of the request whose work is polled on this thread now.
    static CURRENT: RefCell<Option<Arc<Scope>>> = const { RefCell::new(None) };
}

/// How a request came by its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionUse {
    /// How long it waited for connections, all its operations together.
    pub wait: Duration,
    /// Connections that were taken when it first asked for one.
    pub in_use: u32,
    /// Operations that were waiting for one then.
    pub waiting: u32,
}

/// One request's.
#[derive(Default)]
pub(super) struct Scope {
    wait_ns: AtomicU64,
    /// Connections taken, and operations waiting, when it first asked.
    found: Mutex<Option<(u32, u32)>>,
    /// What it holds to its end.
    held: Mutex<Option<Arc<HeldConnection>>>,
}

impl Scope {
    /// Of the request whose work is polled now.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// It asks for a connection, and finds so many in use and waiting.
    pub(super) fn finds(&self, in_use: u32, waiting: u32) {
        lock(&self.found).get_or_insert((in_use, waiting));
    }

    pub(super) fn waited(&self, wait: Duration) {
        self.wait_ns.fetch_add(nanos(wait), Relaxed);
    }

    /// What it holds.
    pub(super) fn held(&self) -> Option<Arc<HeldConnection>> {
        lock(&self.held).clone()
    }

    /// Holds a connection from now on; the one that it held before, where it did.
    pub(super) fn hold(&self, taken: HeldConnection) -> Arc<HeldConnection> {
        Arc::clone(lock(&self.held).get_or_insert_with(|| Arc::new(taken)))
    }

    pub(super) fn told(&self) -> Option<ConnectionUse> {
        let (in_use, waiting) = (*lock(&self.found))?;
        Some(ConnectionUse { wait: Duration::from_nanos(self.wait_ns.load(Relaxed)), in_use, waiting })
    }
}

/// Does work in that scope.
pub(super) async fn in_scope<T>(scope: Arc<Scope>, work: impl Future<Output = T>) -> T {
    const HERE: &Current<Scope> = &CURRENT;
    within(HERE, scope, work).await
}

/// A background whose work stays in the scope of the request that left it there.
pub(super) struct ScopedSpawn(pub(super) Arc<dyn Spawn>);

impl Spawn for ScopedSpawn {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        match Scope::current() {
            Some(scope) => self.0.spawn(Box::pin(in_scope(scope, work))),
            None => self.0.spawn(work),
        }
    }

    fn attend(&self, work: BoxFuture<'static, ()>) {
        self.0.attend(work);
    }
}

/// A poisoned lock is as good as any: every critical section leaves its value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
