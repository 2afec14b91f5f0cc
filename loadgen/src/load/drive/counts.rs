//! Increments: sent once each. One whose answer is lost may have been counted, so none is tried again; where nobody listens, the next
//! replica is asked.

use std::cell::RefCell;
use std::rc::Rc;

use strategies::time::Mono;

use super::connection::Connection;
use super::counted::EndedIncrement;
use super::pool::ConnectionPool;
use super::worker::WorkerContext;
use crate::load::record::IssuedRequest;

/// An increment over a connection of the pool's.
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
        let increment: &EndedIncrement = ended.insert(connection.count(&context, asked.key, t0).await);
        pool.borrow_mut().give_back(site, connection);
        let Some(next) = context.drive.next_site(site, tried, increment.answer.found_nobody()) else { break };
        (site, tried) = (next, tried + 1);
    }
    match ended {
        Some(EndedIncrement { answer, end, .. }) => context.recorder.borrow_mut().counted(&asked, answer, end),
        None => context.recorder.borrow_mut().unsent(&asked),
    }
}

/// An increment over a client's own connections.
pub(super) async fn from_client(
    context: &WorkerContext,
    connections: &mut [Connection],
    replica: usize,
    asked: &IssuedRequest,
    t0: Mono,
) -> Mono {
    let (mut site, mut tried) = (replica, 1);
    let EndedIncrement { answer, end, done } = loop {
        let ended = connections[site].count(context, asked.key, t0).await;
        match context.drive.next_site(site, tried, ended.answer.found_nobody()) {
            Some(next) => (site, tried) = (next, tried + 1),
            None => break ended,
        }
    };
    context.recorder.borrow_mut().counted(asked, answer, end);
    done
}
