//! Workers: the tasks that requests are worked on by, each used again and again by its replica.
//!
//! A request is too short-lived to make a task for it: memory would be asked for, and a future moved into it, twice as
//! often as all the rest together. A worker dies with its replica, and with a request that is given up.

use std::cell::Cell;
use std::rc::Rc;

use scenarios::Op;
use strategies::counter::CounterStack;
use strategies::{Cx, Key, Stack};

/// What a worker is to do.
pub(super) struct Job {
    /// The request's place.
    pub(super) number: u32,
    pub(super) stack: Rc<Stack>,
    /// What counts, where the load counts.
    pub(super) counters: Option<Rc<CounterStack>>,
    pub(super) cx: Cx,
    pub(super) key: Key,
    pub(super) op: Op,
}

/// Where a worker finds its next job.
pub(super) type WorkerSlot = Rc<Cell<Option<Job>>>;

/// A worker.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) task: u32,
    pub(super) desk: WorkerSlot,
}

/// The workers that have nothing to do, by replica.
pub(super) struct Idle(Vec<Vec<Worker>>);

impl Idle {
    pub(super) fn new(replicas: usize) -> Self {
        Self(vec![Vec::new(); replicas])
    }

    pub(super) fn take(&mut self, replica: u16) -> Option<Worker> {
        self.0.get_mut(usize::from(replica))?.pop()
    }

    pub(super) fn put(&mut self, replica: u16, worker: Worker) {
        if let Some(idle) = self.0.get_mut(usize::from(replica)) {
            idle.push(worker);
        }
    }

    /// Forgets a replica's workers: they died with it.
    pub(super) fn forget(&mut self, replica: u16) {
        self.0.get_mut(usize::from(replica)).into_iter().for_each(Vec::clear);
    }

    /// All workers, which may go.
    pub(super) fn end_worker(&mut self) -> Vec<u32> {
        self.0.iter_mut().flat_map(|idle| idle.drain(..)).map(|worker| worker.task).collect()
    }
}
