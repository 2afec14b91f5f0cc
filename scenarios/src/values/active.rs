//! How many clients of a closed load are active at a moment, and when each of them is.
//!
//! The number N(t) is piecewise linear, and client i, from 0, is active while N(t) > i. Moments are whole nanoseconds and are
//! found with whole numbers alone, so that every lab has the same ones.

use std::time::Duration;

use crate::values::ramp::ClientRamp;
use strategies::time::nanos;

/// The number of active clients over time, from the start of the warm-up.
#[derive(Debug, Clone)]
pub(crate) struct ActiveClients {
    /// In the order of time, without gaps; never empty.
    pieces: Vec<Piece>,
}

/// A stretch of time in which the number is linear.
#[derive(Debug, Clone, Copy)]
struct Piece {
    begin_ns: u64,
    end_ns: u64,
    from: u32,
    to: u32,
}

impl ActiveClients {
    /// `first` clients from the start of a warm-up of this length, and the ramps after it.
    pub(crate) fn new(first: u32, ramps: &[ClientRamp], warmup: Duration) -> Self {
        let mut pieces = Vec::new();
        let mut add = |piece: Piece| {
            if piece.begin_ns < piece.end_ns {
                pieces.push(piece);
            }
        };
        let (mut now_ns, mut now) = (0, first);
        for ramp in ramps {
            let (begin_ns, end_ns) = (nanos(warmup.saturating_add(ramp.at)), nanos(warmup.saturating_add(ramp.end())));
            add(Piece { begin_ns: now_ns, end_ns: begin_ns, from: now, to: now });
            add(Piece { begin_ns, end_ns, from: now, to: ramp.clients });
            (now_ns, now) = (end_ns, ramp.clients);
        }
        add(Piece { begin_ns: now_ns, end_ns: u64::MAX, from: now, to: now });
        Self { pieces }
    }

    /// N(t).
    pub(crate) fn number(&self, at_ns: u64) -> f64 {
        let piece = self.pieces.iter().find(|piece| at_ns < piece.end_ns).or(self.pieces.last());
        piece.map_or(0.0, |piece| piece.number(at_ns))
    }

    /// The first moment from `at_ns` on at which a client is active; `None` where it never is again.
    pub(crate) fn next(&self, client: u32, at_ns: u64) -> Option<u64> {
        let first = self.pieces.partition_point(|piece| piece.end_ns <= at_ns);
        let mut spans = self.pieces.get(first..)?.iter().filter_map(|piece| piece.span(client));
        spans.find(|(_, end_ns)| *end_ns > at_ns).map(|(begin_ns, _)| begin_ns.max(at_ns))
    }
}

impl Piece {
    fn number(&self, at_ns: u64) -> f64 {
        let part = (at_ns - self.begin_ns) as f64 / (self.end_ns - self.begin_ns) as f64;
        f64::from(self.from) + (f64::from(self.to) - f64::from(self.from)) * part
    }

    /// From when on a client is active in it, and up to when; `None` where it is not.
    fn span(&self, client: u32) -> Option<(u64, u64)> {
        let Self { begin_ns, end_ns, from, to } = *self;
        let change = u128::from(from.abs_diff(to));
        // How long the number takes to reach this client's.
        let way = u128::from(from.abs_diff(client)) * u128::from(end_ns - begin_ns);
        let after = |ns: u128| begin_ns.saturating_add(u64::try_from(ns).unwrap_or(u64::MAX)).min(end_ns);
        let span = match (from > client, to > client) {
            (false, false) => return None,
            (true, true) => (begin_ns, end_ns),
            // Above it only after it was reached.
            (false, true) => (after(way / change + 1), end_ns),
            (true, false) => (begin_ns, after(way.div_ceil(change))),
        };
        (span.0 < span.1).then_some(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn ramp(at_s: u64, clients: u32, over_s: u64) -> ClientRamp {
        ClientRamp { at: Duration::from_secs(at_s), clients, over: Duration::from_secs(over_s) }
    }

    /// A client's spans, those that touch as one.
    fn spans(active: &ActiveClients, client: u32) -> Vec<(u64, u64)> {
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for (begin, end) in active.pieces.iter().filter_map(|piece| piece.span(client)) {
            match spans.last_mut().filter(|last| last.1 == begin) {
                Some(last) => last.1 = end,
                None => spans.push((begin, end)),
            }
        }
        spans
    }

    /// Two, up to six in 4 s, a plateau of 4 s, down to one in 5 s, and up to three in 2 s; all after a warm-up of 5 s.
    fn example() -> ActiveClients {
        let ramps = [ramp(0, 6, 4), ramp(4, 6, 4), ramp(10, 1, 5), ramp(20, 3, 2)];
        ActiveClients::new(2, &ramps, Duration::from_secs(5))
    }

    #[test]
    fn the_number_is_linear_within_a_ramp_and_stays_between_them() {
        let active = example();
        for (at_ms, number) in [
            (0, 2.0),
            (5000, 2.0),
            (6500, 3.5),
            (9000, 6.0),
            (12_000, 6.0),
            (15_000, 6.0),
            (17_500, 3.5),
            (20_000, 1.0),
            (24_000, 1.0),
            (26_000, 2.0),
            (27_000, 3.0),
            (1_000_000, 3.0),
        ] {
            assert!((active.number(at_ms * 1_000_000) - number).abs() < 1e-9, "{at_ms} ms");
        }
    }

    #[test]
    fn a_client_is_active_while_the_number_is_above_its_own() {
        let active = example();
        assert_eq!(spans(&active, 0), [(0, u64::MAX)]);
        // It falls to 1 at its end, and rises above it at once when the last ramp begins.
        assert_eq!(spans(&active, 1), [(0, 20 * S), (25 * S + 1, u64::MAX)]);
        assert_eq!(spans(&active, 2), [(5 * S + 1, 19 * S), (26 * S + 1, u64::MAX)]);
        assert_eq!(spans(&active, 3), [(6 * S + 1, 18 * S)]);
        assert_eq!(spans(&active, 5), [(8 * S + 1, 16 * S)]);
        assert_eq!(spans(&active, 6), []);
    }

    #[test]
    fn the_next_moment_is_now_or_the_begin_of_the_next_span() {
        let active = example();
        assert_eq!(active.next(2, 0), Some(5 * S + 1));
        assert_eq!(active.next(2, 7 * S), Some(7 * S));
        assert_eq!(active.next(2, 19 * S - 1), Some(19 * S - 1));
        assert_eq!(active.next(2, 19 * S), Some(26 * S + 1), "at or below its own");
        assert_eq!(active.next(3, 18 * S), None, "never again");
        assert_eq!(active.next(6, 0), None);
        assert_eq!(active.next(0, 900 * S), Some(900 * S));
    }

    /// As many are active as have a lower number than N(t), whatever the ramps, to the nanosecond.
    #[test]
    fn so_many_are_active_as_the_number_says() {
        let steep = ClientRamp { at: Duration::from_nanos(7), clients: 9, over: Duration::from_nanos(13) };
        let flat = ClientRamp { at: Duration::from_nanos(21), clients: 7, over: Duration::from_nanos(50) };
        let all = ClientRamp { at: Duration::from_nanos(80), clients: 1, over: Duration::from_nanos(3) };
        let active = ActiveClients::new(3, &[steep, flat, all], Duration::from_nanos(5));
        for at in 0..120 {
            let is_active = |client: &u32| active.next(*client, at) == Some(at);
            let above = |client: &u32| active.number(at) > f64::from(*client) + 1e-9;
            let (found, expected): (Vec<u32>, Vec<u32>) =
                ((0..12).filter(is_active).collect(), (0..12).filter(above).collect());
            assert_eq!(found, expected, "at {at} ns, {}", active.number(at));
        }
    }

    #[test]
    fn the_longest_and_largest_ramp_fits_the_numbers() {
        let day = Duration::from_secs(24 * 3600);
        let active =
            ActiveClients::new(1, &[ClientRamp { at: Duration::ZERO, clients: 10_000_000, over: day }], Duration::ZERO);
        let last = active.next(9_999_999, 0).unwrap();
        assert!(last < 86_400 * S && last > 86_399 * S, "{last}");
        assert_eq!(active.next(10_000_000, 0), None);
    }
}
