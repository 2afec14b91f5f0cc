//! Time and background work: the two things in which the worlds differ most.

use std::time::Duration;

use super::BoxFuture;
use crate::kit::time::{Mono, Wall};

/// The clock of one replica.
pub trait Clock: Send + Sync {
    /// Now, for deadlines and durations.
    fn mono(&self) -> Mono;
    /// Now, for stamps that other replicas read. May be skewed, and may jump.
    fn wall(&self) -> Wall;
    /// Ends `d` from now, or a little later.
    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()>;
}

/// Background work of one replica.
pub trait Spawn: Send + Sync {
    /// Runs a future to its end, even if its caller goes away. A replica that crashes drops it.
    fn spawn(&self, work: BoxFuture<'static, ()>);

    /// Runs what listens for as long as a strategy is there: it is no work under way that anybody waits for.
    fn attend(&self, work: BoxFuture<'static, ()>);
}
