//! The open loop: requests come at their planned times whether or not earlier ones were answered, so a server that stalls
//! does not slow its own load down, and its stall shows in every request that it kept waiting.

use std::cell::RefCell;
use std::rc::Rc;

use evidence::ErrorKind;
use strategies::time::Mono;
use tokio::task::JoinSet;

use super::again::OpenRequest;
use super::connection::{Attempt, Connection};
use super::once::{self, is_sent_once};
use super::pool::ConnectionPool;
use super::worker::WorkerContext;
use crate::load::record::{Answer, IssuedRequest};

/// Connections that are made before the start, for each replica and worker.
const CONNECTED_BEFORE: usize = 16;
/// After so many requests in a row that were due at once, the answers get their turn.
const BURST_MAX: u32 = 16;

/// Makes the first connections.
pub(super) async fn connect(context: &WorkerContext) -> Result<ConnectionPool, ErrorKind> {
    ConnectionPool::connected(context, CONNECTED_BEFORE).await
}

/// Starts the dispatcher.
pub(super) fn spawn(
    context: &Rc<WorkerContext>,
    pool: &Rc<RefCell<ConnectionPool>>,
    t0: Mono,
    running: &mut JoinSet<()>,
) {
    running.spawn_local(dispatch(Rc::clone(context), Rc::clone(pool), t0));
}

async fn dispatch(context: Rc<WorkerContext>, pool: Rc<RefCell<ConnectionPool>>, t0: Mono) {
    let WorkerContext { drive, recorder, share } = &*context;
    let begun = t0.minus(drive.warmup);
    let mut stop = drive.stop.clone();
    let mut asking = JoinSet::new();
    for (number, arrival) in (1_u32..).zip(drive.plan.arrivals().skip(share.number).step_by(share.workers)) {
        let intended = Mono(begun.0.saturating_add(arrival.at_ns));
        let asked = context.issue(intended, t0, arrival.key, arrival.op, None);
        recorder.borrow_mut().offer(&asked);
        tokio::select! {
            biased;
            () = stop.wait() => {
                recorder.borrow_mut().withdraw(&asked);
                break;
            }
            () = drive.pace.until(intended) => {}
        }
        let replica = arrival.replica as usize;
        let (of_worker, of_pool) = (Rc::clone(&context), Rc::clone(&pool));
        if is_sent_once(arrival.op) {
            asking.spawn_local(once::from_pool(of_worker, of_pool, replica, asked, t0));
        } else {
            let taken = pool.borrow_mut().take(&context, replica);
            match taken {
                None => recorder.borrow_mut().unsent(&asked),
                Some(connection) => drop(asking.spawn_local(ask(of_worker, of_pool, connection, replica, asked, t0))),
            }
        }
        // Forget those that have ended, without waiting for any.
        while asking.try_join_next().is_some() {}
        if number.is_multiple_of(BURST_MAX) {
            tokio::task::yield_now().await;
        }
    }
    while asking.join_next().await.is_some() {}
}

/// A request, from its first attempt to its last.
async fn ask(
    context: Rc<WorkerContext>,
    pool: Rc<RefCell<ConnectionPool>>,
    mut connection: Connection,
    mut replica: usize,
    asked: IssuedRequest,
    t0: Mono,
) {
    let mut request = OpenRequest::first(&context, asked);
    loop {
        let Attempt { answer, retry_after, .. } = attempt(&context, &pool, connection, replica, asked.key, t0).await;
        if !request.again(&answer, retry_after).await {
            return context.recorder.borrow_mut().answer(&asked, request.outcome(answer));
        }
        replica = (replica + 1) % context.drive.sites.len().max(1);
        // One was given back after the attempt, and others may have it now.
        let taken = pool.borrow_mut().take(&context, replica);
        let Some(another) = taken else {
            request.was_not_sent();
            return context.recorder.borrow_mut().answer(&asked, request.outcome(answer));
        };
        connection = another;
    }
}

/// One attempt: a replica is asked, and the next ones in turn where nobody listens. Its connection goes back to the pool.
async fn attempt(
    context: &WorkerContext,
    pool: &RefCell<ConnectionPool>,
    mut connection: Connection,
    replica: usize,
    key: u32,
    t0: Mono,
) -> Attempt {
    let mut attempt = connection.ask(context, key, t0).await;
    let (mut site, mut tried) = (replica, 1);
    while let Some(next) = context.drive.next_site(site, tried, attempt.answer.found_nobody()) {
        pool.borrow_mut().give_back(site, connection);
        let taken = pool.borrow_mut().take(context, next);
        // One was given back just now, so there is room for another.
        let Some(another) = taken else { return attempt };
        connection = another;
        let sent_ns = attempt.answer.sent_ns;
        attempt = connection.ask(context, key, t0).await;
        let moved_on = !attempt.answer.found_nobody();
        attempt.answer = Answer { sent_ns, moved_on, ..attempt.answer };
        (site, tried) = (next, tried + 1);
    }
    pool.borrow_mut().give_back(site, connection);
    attempt
}
