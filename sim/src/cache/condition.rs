//! What is wrong with the cache server.

use std::time::Duration;

use strategies::time::Mono;

/// What is wrong, each until when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Condition {
    pub(super) down_until: Mono,
    pub(super) paused_until: Mono,
    /// When the last of the commands that wait for that is carried out.
    pub(super) queued_until: Mono,
    pub(super) slow_until: Mono,
    pub(super) slow_by: Duration,
    /// Of how many operations.
    pub(super) slow_share: f64,
    pub(super) full_until: Mono,
}

impl Condition {
    pub(super) fn is_over(&self, now: Mono) -> bool {
        let until = [self.down_until, self.paused_until, self.queued_until, self.slow_until, self.full_until];
        until.into_iter().all(|until| now >= until)
    }
}
