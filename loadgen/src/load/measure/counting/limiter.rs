//! What a limiter makes of what it is told.

use std::time::Duration;

use super::increment::SeenIncrement;

/// One key's.
pub(super) struct Limiter {
    limit: u64,
    window_ns: i64,
    /// Whether it is told when its windows begin.
    exact: bool,
    /// The window that goes on: when its first increment was sent and answered, and how many it has let through since.
    window: Option<(i64, i64, u64)>,
    through: u64,
    above: u64,
}

impl Limiter {
    pub(super) fn new(limit: u64, window: Duration, exact: bool) -> Self {
        let window_ns = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
        Self { limit, window_ns, exact, window: None, through: 0, above: 0 }
    }

    /// An increment was told `value`; `begins` where it began a window.
    pub(super) fn told(&mut self, seen: &SeenIncrement, value: u64, begins: bool) {
        let over = |(sent, ..): (i64, i64, u64)| seen.sent_ns >= sent.saturating_add(self.window_ns);
        if begins || (!self.exact && self.window.is_none_or(over)) {
            self.close();
            self.window = Some((seen.sent_ns, seen.done_ns, 0));
        }
        if value > self.limit {
            return;
        }
        self.through += 1;
        let Some((sent, done, through)) = &mut self.window else { return };
        // What overlaps its first increment, or the end of its time, may be another window's.
        let is_first = (*sent, *done) == (seen.sent_ns, seen.done_ns);
        let is_in = (is_first || seen.sent_ns > *done) && seen.done_ns < sent.saturating_add(self.window_ns);
        *through += u64::from(is_in);
    }

    fn close(&mut self) {
        if let Some((_, _, through)) = self.window.take() {
            self.above += through.saturating_sub(self.limit);
        }
    }

    /// How many it let through, and how many of these above the limit.
    pub(super) fn end(mut self) -> (u64, u64) {
        self.close();
        (self.through, self.above)
    }
}
