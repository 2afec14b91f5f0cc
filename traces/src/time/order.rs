//! Rows in the order of time, as far as they are out of it by a bounded time: an access log is written when requests end.
//!
//! Whether a row comes too late depends on the rows above it alone: it does where it lies further before the latest of them than the
//! window. Rows of one moment keep the order of the file. What waits is bounded in number, too: beyond [`WAITING_MAX`] the earliest row
//! goes, and what lies before it comes too late from then on.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use super::pending::PendingRow;

/// The most rows that wait.
const WAITING_MAX: usize = 1 << 20;

/// A row came too late: it goes back in time further than is put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLate {
    /// By how much it goes back.
    pub(crate) back_ns: u64,
    /// The line from which it goes back.
    pub(crate) latest_line: u64,
}

/// By time, then by line.
#[derive(Debug, PartialEq, Eq)]
struct ByTime(PendingRow);

impl ByTime {
    fn order(&self) -> (u64, u64) {
        (self.0.at_ns, self.0.line)
    }
}

impl Ord for ByTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Puts rows in order.
#[derive(Debug)]
pub(crate) struct Order {
    window_ns: u64,
    /// Rows that came in order, which most do.
    straight: VecDeque<PendingRow>,
    /// Those that came after a later one.
    late: BinaryHeap<Reverse<ByTime>>,
    latest_ns: u64,
    latest_line: u64,
    /// The last row that went.
    gone_ns: u64,
    /// Rows that were put in order.
    pub(crate) moved: u64,
}

impl Order {
    pub(crate) fn new(window_ns: u64) -> Self {
        let (straight, late) = (VecDeque::new(), BinaryHeap::new());
        Self { window_ns, straight, late, latest_ns: 0, latest_line: 0, gone_ns: 0, moved: 0 }
    }

    pub(crate) fn push(&mut self, row: PendingRow) -> Result<(), TooLate> {
        if row.at_ns >= self.latest_ns {
            (self.latest_ns, self.latest_line) = (row.at_ns, row.line);
            self.straight.push_back(row);
            return Ok(());
        }
        let back_ns = self.latest_ns - row.at_ns;
        if back_ns > self.window_ns || row.at_ns < self.gone_ns {
            return Err(TooLate { back_ns, latest_line: self.latest_line });
        }
        self.moved += 1;
        self.late.push(Reverse(ByTime(row)));
        Ok(())
    }

    /// The next row whose place is certain; at the end every row's is.
    pub(crate) fn pop(&mut self, at_the_end: bool) -> Option<PendingRow> {
        let late = self.late.peek().map(|Reverse(row)| row.order());
        let straight = self.straight.front().map(|row| (row.at_ns, row.line));
        let first = [late, straight].into_iter().flatten().min()?;
        let full = self.straight.len() + self.late.len() > WAITING_MAX;
        if !at_the_end && !full && first.0.saturating_add(self.window_ns) >= self.latest_ns {
            return None;
        }
        self.gone_ns = first.0;
        if Some(first) == straight { self.straight.pop_front() } else { self.late.pop().map(|Reverse(row)| row.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyHash;
    use crate::row::TraceOp;

    fn row(at_ns: u64, line: u64) -> PendingRow {
        let (key, op) = (KeyHash(0), TraceOp::Read);
        PendingRow { at_ns, line, key, ttl_ns: None, size: None, class: None, op, failed: false, name: None }
    }

    fn ordered(times: &[u64]) -> (Vec<(u64, u64)>, Vec<TooLate>) {
        let (mut order, mut found, mut late) = (Order::new(10), Vec::new(), Vec::new());
        for (line, at) in (1..).zip(times) {
            late.extend(order.push(row(*at, line)).err());
            found.extend(std::iter::from_fn(|| order.pop(false)).map(|row| (row.at_ns, row.line)));
        }
        found.extend(std::iter::from_fn(|| order.pop(true)).map(|row| (row.at_ns, row.line)));
        (found, late)
    }

    #[test]
    fn small_disorder_is_put_in_order_and_more_is_too_late() {
        let (rows, late) = ordered(&[5, 3, 3, 20, 10, 9, 20]);
        assert_eq!(rows, [(3, 2), (3, 3), (5, 1), (10, 5), (20, 4), (20, 7)]);
        assert_eq!(late, [TooLate { back_ns: 11, latest_line: 4 }]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut order = Order::new(10);
        for line in 0..=WAITING_MAX as u64 {
            order.push(row(5, line)).unwrap();
        }
        assert_eq!(order.pop(false).map(|row| row.line), Some(0));
        assert_eq!(order.pop(false), None);
    }
}
