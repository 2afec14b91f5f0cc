//! Writes: sent once each, by the clients of a load or beside it. One whose answer is lost may have been committed, so none is tried
//! again; where nobody listens, the next replica is asked.

use std::cell::RefCell;
use std::rc::Rc;

use strategies::time::Mono;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::pool::ConnectionPool;
use super::worker::WorkerContext;
use crate::load::record::{IssuedRequest, SentWrite};

/// Starts the writes that come beside the load.
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
    let mut writing = JoinSet::new();
    for write in drive.plan.writes().skip(share.number).step_by(share.workers) {
        let intended = Mono(begun.0.saturating_add(write.at_ns));
        let asked = context.issue(intended, t0, write.key, write.op, None);
        recorder.borrow_mut().offer(&asked);
        tokio::select! {
            biased;
            () = stop.wait() => {
                recorder.borrow_mut().withdraw(&asked);
                break;
            }
            () = drive.pace.until(intended) => {}
        }
        writing.spawn_local(from_pool(Rc::clone(&context), Rc::clone(&pool), write.replica as usize, asked, t0));
        while writing.try_join_next().is_some() {}
    }
    while writing.join_next().await.is_some() {}
}

/// A write over a connection of the pool's.
pub(super) async fn from_pool(
    context: Rc<WorkerContext>,
    pool: Rc<RefCell<ConnectionPool>>,
    replica: usize,
    asked: IssuedRequest,
    t0: Mono,
) {
    let (mut site, mut tried, mut ended) = (replica, 1, None);
    loop {
        let taken = pool.borrow_mut().take(&context, site);
        let Some(mut connection) = taken else { break };
        let (write, _) = ended.insert(connection.put(&context, asked.key, t0).await);
        pool.borrow_mut().give_back(site, connection);
        let Some(next) = context.drive.next_site(site, tried, found_nobody(write)) else { break };
        (site, tried) = (next, tried + 1);
    }
    match ended {
        Some((write, _)) => context.recorder.borrow_mut().wrote(&asked, write),
        None => context.recorder.borrow_mut().unsent(&asked),
    }
}

/// A write over a client's own connections.
pub(super) async fn from_client(
    context: &WorkerContext,
    connections: &mut [Connection],
    replica: usize,
    asked: &IssuedRequest,
    t0: Mono,
) -> Mono {
    let (mut site, mut tried) = (replica, 1);
    let (write, done) = loop {
        let (write, done) = connections[site].put(context, asked.key, t0).await;
        match context.drive.next_site(site, tried, found_nobody(&write)) {
            Some(next) => (site, tried) = (next, tried + 1),
            None => break (write, done),
        }
    };
    context.recorder.borrow_mut().wrote(asked, write);
    done
}

fn found_nobody(write: &SentWrite) -> bool {
    write.answer.is_err_and(evidence::ErrorKind::found_nobody)
}
