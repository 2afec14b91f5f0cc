//! A time limit for any future, on the clock port.

use futures_util::future::{Either, select};

use crate::kit::time::Mono;
use crate::port::{BoxFuture, Clock};

/// The future's output, or `None` where `deadline` comes first. The future is asked first at every wake, so one that is
/// ready at the very deadline still counts.
pub(crate) async fn within<T>(clock: &dyn Clock, deadline: Mono, work: BoxFuture<'_, T>) -> Option<T> {
    let left = deadline.since(clock.mono());
    match select(work, clock.sleep(left)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
