//! Rows that share a whole second, spread over it.
//!
//! A log that writes whole seconds has lost where in the second a request came. The k-th of n rows of a second, from 0, in the order of
//! the file, is put at k/n of it: the least that can be assumed, and no burst that the log does not have. One row alone stays where it
//! is. All rows of a second must have been seen for that. Beyond [`SECOND_ROWS_MAX`] they are not kept: those seen so far are
//! spread over the first half of what is left of the second, and so on. So order and second stay right, and the pace within that
//! second does not; such seconds are counted.

use std::collections::VecDeque;

use super::pending::PendingRow;

const S_NS: u64 = 1_000_000_000;
/// The most rows of one second that are kept.
const SECOND_ROWS_MAX: usize = 1 << 20;

/// Spreads rows, which come in the order of time.
#[derive(Debug)]
pub(crate) struct SecondSpread {
    on: bool,
    /// Those whose moment is known, and behind them those of the second that goes on.
    rows: VecDeque<PendingRow>,
    known: usize,
    /// That second's beginning.
    second_ns: u64,
    /// From where in it there is room.
    from_ns: u64,
    rows_max: usize,
    /// Seconds with more rows than are kept.
    pub(crate) crowded: u64,
}

impl SecondSpread {
    pub(crate) fn new(on: bool) -> Self {
        let rows = VecDeque::new();
        Self { on, rows, known: 0, second_ns: 0, from_ns: 0, rows_max: SECOND_ROWS_MAX, crowded: 0 }
    }

    pub(crate) fn push(&mut self, row: PendingRow) {
        if !self.on {
            self.rows.push_back(row);
            self.known = self.rows.len();
            return;
        }
        let second_ns = row.at_ns - row.at_ns % S_NS;
        if second_ns != self.second_ns {
            self.finish();
            (self.second_ns, self.from_ns) = (second_ns, 0);
        }
        self.rows.push_back(row);
        if self.rows.len() - self.known >= self.rows_max {
            self.crowded += u64::from(self.from_ns == 0);
            self.place((S_NS - self.from_ns) / 2);
        }
    }

    /// No further row of this second comes. Whether there was one that waited for that.
    pub(crate) fn finish(&mut self) -> bool {
        let waiting = self.rows.len() > self.known;
        self.place(S_NS - self.from_ns);
        waiting
    }

    pub(crate) fn pop(&mut self) -> Option<PendingRow> {
        self.known = self.known.checked_sub(1)?;
        self.rows.pop_front()
    }

    /// Gives the rows that have no moment yet theirs, evenly over so long a time.
    fn place(&mut self, length_ns: u64) {
        let n = (self.rows.len() - self.known) as u128;
        // Where the file does say where in the second, it is believed.
        if self.rows.range(self.known..).all(|row| row.at_ns % S_NS == 0) {
            for (k, row) in (0_u128..).zip(self.rows.range_mut(self.known..)) {
                let into = u64::try_from(u128::from(length_ns) * k / n).unwrap_or(length_ns);
                row.at_ns = self.second_ns + self.from_ns + into;
            }
        }
        self.known = self.rows.len();
        self.from_ns += length_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyHash;
    use crate::row::TraceOp;

    fn spread(times: &[u64], rows_max: usize) -> (Vec<u64>, u64) {
        let mut spread = SecondSpread { rows_max, ..SecondSpread::new(true) };
        let mut found = Vec::new();
        for (line, at_ns) in (1..).zip(times.iter().copied()) {
            let (key, op) = (KeyHash(0), TraceOp::Read);
            spread.push(PendingRow {
                at_ns,
                line,
                key,
                ttl_ns: None,
                size: None,
                class: None,
                op,
                failed: false,
                name: None,
            });
            found.extend(std::iter::from_fn(|| spread.pop()).map(|row| row.at_ns));
        }
        spread.finish();
        found.extend(std::iter::from_fn(|| spread.pop()).map(|row| row.at_ns));
        (found, spread.crowded)
    }

    const S: u64 = S_NS;

    #[test]
    fn rows_of_a_second_are_spread_over_it() {
        let (found, crowded) = spread(&[S, S, S, S, 3 * S, 4 * S, 4 * S], 100);
        let quarter = S / 4;
        assert_eq!(found, [S, S + quarter, S + 2 * quarter, S + 3 * quarter, 3 * S, 4 * S, 4 * S + S / 2]);
        assert_eq!(crowded, 0);
        assert_eq!(spread(&[0, 5, S / 3], 100).0, [0, 5, S / 3], "moments that are stated are believed");
    }

    #[test]
    fn a_crowded_second_keeps_order_and_second() {
        let (found, crowded) = spread(&[vec![S; 1000], vec![2 * S]].concat(), 4);
        assert!(found.is_sorted(), "{found:?}");
        assert!(found[..1000].iter().all(|at| (S..2 * S).contains(at)));
        assert_eq!((found.len(), found[4], found[1000], crowded), (1001, S + S / 2, 2 * S, 1));
    }
}
