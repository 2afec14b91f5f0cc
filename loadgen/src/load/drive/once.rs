//! Writes and increments: sent once each. One whose answer is lost may have taken effect, so none is tried again; where nobody listens,
//! the next replica is asked.

use std::cell::RefCell;
use std::rc::Rc;

use evidence::ErrorKind;
use scenarios::Op;
use strategies::time::Mono;

use super::connection::Connection;
use super::counted::EndedIncrement;
use super::pool::ConnectionPool;
use super::worker::WorkerContext;
use crate::load::measure::IncrementEnd;
use crate::load::record::{Answer, IssuedRequest, SentWrite};

/// Whether a request is sent once, and not again.
pub(super) const fn is_sent_once(op: Op) -> bool {
    matches!(op, Op::Put | Op::Count)
}

/// What became of one.
enum SentOnce {
    Write(SentWrite),
    Increment(Answer, IncrementEnd),
}

impl SentOnce {
    /// Sends it over a connection, and says when it was done.
    async fn send(
        connection: &mut Connection,
        context: &WorkerContext,
        asked: &IssuedRequest,
        t0: Mono,
    ) -> (Self, Mono) {
        if asked.op == Op::Put {
            let (write, done) = connection.put(context, asked.key, t0).await;
            return (Self::Write(write), done);
        }
        let EndedIncrement { answer, end, done } = connection.count(context, asked.key, t0).await;
        (Self::Increment(answer, end), done)
    }

    fn found_nobody(&self) -> bool {
        match self {
            Self::Write(write) => write.answer.is_err_and(ErrorKind::found_nobody),
            Self::Increment(answer, _) => answer.found_nobody(),
        }
    }

    fn record(self, context: &WorkerContext, asked: &IssuedRequest) {
        let mut recorder = context.recorder.borrow_mut();
        match self {
            Self::Write(write) => recorder.wrote(asked, write),
            Self::Increment(answer, end) => recorder.counted(asked, answer, end),
        }
    }
}

/// One over a connection of the pool's.
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
        let sent = ended.insert(SentOnce::send(&mut connection, &context, &asked, t0).await.0);
        pool.borrow_mut().give_back(site, connection);
        let Some(next) = context.drive.next_site(site, tried, sent.found_nobody()) else { break };
        (site, tried) = (next, tried + 1);
    }
    match ended {
        Some(sent) => sent.record(&context, &asked),
        None => context.recorder.borrow_mut().unsent(&asked),
    }
}

/// One over a client's own connections; when it was done.
pub(super) async fn from_client(
    context: &WorkerContext,
    connections: &mut [Connection],
    replica: usize,
    asked: &IssuedRequest,
    t0: Mono,
) -> Mono {
    let (mut site, mut tried) = (replica, 1);
    loop {
        let (sent, done) = SentOnce::send(&mut connections[site], context, asked, t0).await;
        match context.drive.next_site(site, tried, sent.found_nobody()) {
            Some(next) => (site, tried) = (next, tried + 1),
            None => {
                sent.record(context, asked);
                return done;
            }
        }
    }
}
