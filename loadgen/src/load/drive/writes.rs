//! Writes that come beside the load, at times of their own.

use std::cell::RefCell;
use std::rc::Rc;

use strategies::time::Mono;
use tokio::task::JoinSet;

use super::once;
use super::pool::ConnectionPool;
use super::worker::WorkerContext;

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
        writing.spawn_local(once::from_pool(Rc::clone(&context), Rc::clone(&pool), write.replica as usize, asked, t0));
        while writing.try_join_next().is_some() {}
    }
    while writing.join_next().await.is_some() {}
}
