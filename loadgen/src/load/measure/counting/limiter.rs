//! What a limiter makes of what it is told: how many it lets through, and of estimates how many of these above the limit.

use std::time::Duration;

use super::increment::SeenIncrement;

/// One key's.
pub(super) struct Limiter {
    limit: u64,
    window_ns: i64,
    /// The window of T that goes on: when its first increment was sent, and how many it has let through since.
    window: Option<(i64, u64)>,
    through: u64,
    above: u64,
}

impl Limiter {
    pub(super) fn new(limit: u64, window: Duration) -> Self {
        let window_ns = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
        Self { limit, window_ns, window: None, through: 0, above: 0 }
    }

    /// An increment was told `value`.
    pub(super) fn told(&mut self, seen: &SeenIncrement, value: u64) {
        if self.window.is_none_or(|(sent, _)| seen.sent_ns >= sent.saturating_add(self.window_ns)) {
            self.close();
            self.window = Some((seen.sent_ns, 0));
        }
        if value > self.limit {
            return;
        }
        self.through += 1;
        if let Some((sent, through)) = &mut self.window {
            // What overlaps the end of its time may be the next window's.
            *through += u64::from(seen.done_ns < sent.saturating_add(self.window_ns));
        }
    }

    fn close(&mut self) {
        if let Some((_, through)) = self.window.take() {
            self.above += through.saturating_sub(self.limit);
        }
    }

    /// How many it let through, and how many of these above the limit.
    pub(super) fn end(mut self) -> (u64, u64) {
        self.close();
        (self.through, self.above)
    }
}
