//! The closed loop: C clients; each waits for its answer, thinks, and asks again, while it is active.

use std::rc::Rc;
use std::time::Duration;

use evidence::ErrorKind;
use strategies::time::{Mono, nanos};
use tokio::task::JoinSet;

use super::again::OpenRequest;
use super::connection::{Attempt, Connection};
use super::once::{self, is_sent_once};
use super::shared::Pattern;
use super::worker::WorkerContext;
use crate::load::record::Answer;

/// So long before a client that is not active becomes so it decides on its next request: that keeps the request's second open.
const AHEAD: Duration = Duration::from_secs(10);

/// A client and its connections, one a replica.
pub(super) type Client = (u32, Vec<Connection>);

/// Connects this worker's clients to every replica.
pub(super) async fn connect(context: &WorkerContext) -> Result<Vec<Client>, ErrorKind> {
    let Pattern::Closed { clients } = context.drive.pattern else { return Ok(Vec::new()) };
    let mut connected = Vec::new();
    for client in (0..clients).skip(context.share.number).step_by(context.share.workers) {
        let to = |site| Connection::to(site, context.drive.timeout);
        let mut connections: Vec<_> = context.drive.sites.iter().map(to).collect();
        for connection in &mut connections {
            connection.connect().await?;
        }
        connected.push((client, connections));
    }
    Ok(connected)
}

/// Starts the clients.
pub(super) fn spawn(context: &Rc<WorkerContext>, clients: Vec<Client>, t0: Mono, running: &mut JoinSet<()>) {
    for client in clients {
        running.spawn_local(run(Rc::clone(context), client, t0));
    }
}

async fn run(context: Rc<WorkerContext>, (client, mut connections): Client, t0: Mono) {
    let WorkerContext { drive, recorder, .. } = &*context;
    let mut stop = drive.stop.clone();
    let begun = t0.minus(drive.warmup);
    let mut intended = begun.plus(drive.plan.first_send(client));
    for n in 0_u64.. {
        let Some(next) = active(&context, client, intended, t0).await else { return };
        intended = next;
        let item = drive.plan.item(client, n, nanos(next.since(begun)));
        let asked = context.issue(intended, t0, item.key, item.op, Some(client));
        recorder.borrow_mut().offer(&asked);
        tokio::select! {
            biased;
            () = stop.wait() => return recorder.borrow_mut().withdraw(&asked),
            () = drive.pace.until(intended) => {}
        }
        let mut replica = item.replica as usize;
        if is_sent_once(item.op) {
            let done = once::from_client(&context, &mut connections, replica, &asked, t0).await;
            intended = done.plus(drive.plan.think(client, n));
            continue;
        }
        let mut request = OpenRequest::first(&context, asked);
        let (answer, done) = loop {
            let Attempt { answer, done, retry_after } = ask(&context, &mut connections, replica, item.key, t0).await;
            if !request.again(&answer, retry_after).await {
                break (answer, done);
            }
            replica = (replica + 1) % connections.len();
        };
        recorder.borrow_mut().answer(&asked, request.outcome(answer));
        intended = done.plus(drive.plan.think(client, n));
    }
}

/// When a client that would send at `intended` does: then, or when it is active again; `None` where the load is over before.
async fn active(context: &WorkerContext, client: u32, intended: Mono, t0: Mono) -> Option<Mono> {
    let drive = &context.drive;
    let begun = t0.minus(drive.warmup);
    let next = Mono(begun.0.saturating_add(drive.plan.next_active(client, intended.0.saturating_sub(begun.0))?));
    if next >= t0.plus(drive.duration) {
        return None;
    }
    if next > intended {
        let mut stop = drive.stop.clone();
        tokio::select! {
            biased;
            () = stop.wait() => return None,
            () = drive.pace.until(next.minus(AHEAD)) => {}
        }
    }
    Some(next)
}

/// Asks a replica, and the next ones in turn where nobody listens.
async fn ask(context: &WorkerContext, connections: &mut [Connection], first: usize, key: u32, t0: Mono) -> Attempt {
    let mut attempt = connections[first].ask(context, key, t0).await;
    let (mut site, mut tried) = (first, 1);
    while let Some(next) = context.drive.next_site(site, tried, attempt.answer.found_nobody()) {
        let sent_ns = attempt.answer.sent_ns;
        attempt = connections[next].ask(context, key, t0).await;
        let moved_on = !attempt.answer.found_nobody();
        attempt.answer = Answer { sent_ns, moved_on, ..attempt.answer };
        (site, tried) = (next, tried + 1);
    }
    attempt
}
