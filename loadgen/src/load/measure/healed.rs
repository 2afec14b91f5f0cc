//! Whether a run recovered from its events: the half of invariant P2 that is about rates (`docs/metastable.md`).
//!
//! In the end as large a share of requests is answered well as before, and the origin is read hardly more. A comparison
//! needs a baseline that contains what it compares with: half a minute does not show an expiry that comes once a minute. So
//! reads are counted against the floor, and what a strategy does at an expiry is known only where there was time for one
//! before the events. Where that is not enough to say either, nothing is said.

use report::record::BinRow;

use super::impact::Impact;

/// As large a share of requests as before is answered well,
const OF_A_SHARE: f64 = 0.99;
/// but the rate of a closed load is its server's, and no two of its seconds are alike.
const OF_A_RATE: f64 = 0.9;
/// As many reads as before, by the floor.
const READS_AGAIN: f64 = 1.2;
/// A strategy that reads at most this many times the floor reads hardly more than it must, whatever it did before: two for
/// one is a lock that changed hands, or a refresh that came early.
const NEAR_THE_FLOOR: f64 = 2.0;
/// Seconds that are judged together.
const WINDOW: usize = 10;
/// A run that is not well after so many seconds has not recovered; before that it is not known.
const PATIENCE: usize = 30;

/// Whether a run recovered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Healed {
    /// It did not.
    Never,
    /// So many seconds after the last event's end.
    After(f64),
}

/// Whether it is as well in the end as it was before, and since when: by windows of which all that follow are well. `None`
/// where nobody can say.
pub(super) fn healed(seconds: &[BinRow], impact: Impact, end_ns: i64) -> Option<Healed> {
    let within = |row: &&BinRow| row.start_ms >= 0 && (row.start_ms + 1000) * 1_000_000 <= end_ns;
    let measured: Vec<&BinRow> = seconds.iter().filter(within).collect();
    let before = &measured[..measured.partition_point(|row| (row.start_ms + 1000) * 1_000_000 <= impact.from_ns)];
    let over = measured.partition_point(|row| row.start_ms * 1_000_000 < impact.over_ns);
    let after = &measured[over..];
    let (Some(tail), false) = (after.len().checked_sub(WINDOW).map(|from| &after[from..]), before.is_empty()) else {
        return None;
    };
    // Of another number of clients another rate is as well as before.
    if impact.clients_ramp || tail.iter().all(|row| row.offered == 0) {
        return None;
    }
    let baseline = Baseline::of(before, impact);
    let window = baseline.window.min(after.len());
    let last_bad = after.windows(window).rposition(|window| !baseline.is_well(window));
    let well_from = last_bad.map_or(0, |bad| bad + 1);
    let is_well = well_from + window <= after.len();
    let calm = Reads::after(&measured, over, impact).and_then(|reads| baseline.is_calm(reads));
    let had_time = after.len() >= patience(&measured, over, impact);
    match (is_well, calm) {
        (true, Some(true)) if well_from == 0 => Some(Healed::After(0.0)),
        (true, Some(true)) => {
            let since_ns = after[well_from].start_ms as f64 * 1e6 - impact.over_ns as f64;
            Some(Healed::After((since_ns / 1e6).round() / 1e3))
        }
        (true, Some(false)) if had_time => Some(Healed::Never),
        (false, _) if had_time && baseline.is_failing(after, window, last_bad) => Some(Healed::Never),
        _ => None,
    }
}

/// How many seconds anybody needs to come back, and to be seen to: 30, or as long as the origin works at what waits there when
/// the events are over and at what a perfect refresher then reads in the life of an entry, and one window.
fn patience(measured: &[&BinRow], over: usize, impact: Impact) -> usize {
    let life = measured.len().min(over.saturating_add(impact.life.as_secs_f64().ceil() as usize));
    let waiting = measured.get(over).and_then(|row| row.origin_in_flight_max).unwrap_or(0);
    let reads: u64 = measured[over..life].iter().filter_map(|row| row.floor).sum();
    let work_s = ((waiting + reads) as f64 / impact.capacity).ceil();
    PATIENCE.max((work_s as usize).saturating_add(WINDOW))
}

/// What the run was like before the events.
struct Baseline<'a> {
    rows: &'a [&'a BinRow],
    /// Of these rows, requests that were to be answered, and those that were answered well: they are asked for at each window of
    /// what may be a day.
    offered: f64,
    good: f64,
    closed: bool,
    /// How many seconds are judged together. A closed load stands still at each expiry, so its rate is that of whole cycles.
    window: usize,
    /// Whether each entry that was there at t = 0 has expired once.
    whole: bool,
}

impl<'a> Baseline<'a> {
    fn of(rows: &'a [&'a BinRow], impact: Impact) -> Self {
        let closed = impact.clients.is_some();
        let cycle = (impact.life + impact.service).as_secs_f64().ceil() as usize;
        let window = if closed { cycle.max(WINDOW) } else { WINDOW };
        let (offered, good) = (offered(rows), good(rows));
        Self { rows, offered, good, closed, window, whole: rows.len() as f64 >= impact.life.as_secs_f64() }
    }

    /// Whether as much is answered well as before.
    fn is_well(&self, window: &[&BinRow]) -> bool {
        if self.closed {
            good(window) / window.len() as f64 >= OF_A_RATE * self.good / self.rows.len() as f64
        } else {
            share(good(window), offered(window)) >= OF_A_SHARE * share(self.good, self.offered)
        }
    }

    /// Whether it is certain that less is answered well than before to the end. Of a baseline without an expiry it is not known
    /// what is normal at one; but a strategy that is not well for all of the last half minute has another reason than an expiry.
    fn is_failing(&self, after: &[&BinRow], window: usize, last_bad: Option<usize>) -> bool {
        let bad = last_bad.map(|from| &after[from..from + window]);
        let in_the_end = &after[after.len().saturating_sub(PATIENCE)..];
        self.whole && bad.is_some_and(|bad| self.is_worse(bad))
            || in_the_end.windows(WINDOW).all(|window| self.loses_more(window))
    }

    fn is_worse(&self, window: &[&BinRow]) -> bool {
        let expected = OF_A_RATE * self.good / self.rows.len() as f64 * window.len() as f64;
        if self.closed { good(window) < expected - 2.0 * expected.sqrt() } else { self.loses_more(window) }
    }

    /// Whether more was lost than the 1 %, and than chance explains: of so many requests before, three more may have failed (the
    /// rule of three, Hanley and Lippman-Hand, JAMA 249, 1983), and a Poisson count is seldom two deviations above its mean.
    fn loses_more(&self, window: &[&BinRow]) -> bool {
        let of_before = ((self.offered - self.good).max(0.0) + 3.0) / self.offered.max(1.0);
        let expected = offered(window) * of_before;
        let allowed = offered(window) * (1.0 - OF_A_SHARE * share(self.good, self.offered));
        offered(window) - good(window) > allowed.max(expected + 2.0 * expected.sqrt())
    }

    /// Whether the origin is read hardly more than before, and than it must be; `None` where nothing says what is normal.
    fn is_calm(&self, now: Reads) -> Option<bool> {
        if now.reads <= NEAR_THE_FLOOR * now.floor {
            return Some(true);
        }
        let then = Reads::of(self.rows)?;
        // As many keys were to be read before as now, or nearly: else most of them were never seen to expire.
        if !self.whole || 2.0 * then.floor < now.floor.max(1.0) {
            return None;
        }
        // Two seconds' peaks may be in it by chance.
        let peak = self.rows.iter().filter_map(|row| row.origin_starts).max().unwrap_or(0);
        Some(now.reads <= READS_AGAIN * then.reads / then.floor * now.floor + 2.0 * peak as f64)
    }
}

/// Reads of the origin, and those of a perfect refresher for the same arrivals.
#[derive(Debug, Clone, Copy)]
struct Reads {
    reads: f64,
    floor: f64,
}

impl Reads {
    /// `None` where either is not known.
    fn of(rows: &[&BinRow]) -> Option<Self> {
        let reads: Option<u64> = rows.iter().map(|row| row.origin_starts).sum();
        let floor: Option<u64> = rows.iter().map(|row| row.floor).sum();
        Some(Self { reads: reads? as f64, floor: floor? as f64 })
    }

    /// Over the last cycle (or a window) after the events: many keys that were read together are read together again.
    fn after(measured: &[&BinRow], over: usize, impact: Impact) -> Option<Self> {
        let cycle = impact.life.as_secs_f64().ceil() as usize;
        let from = measured.len().saturating_sub(cycle.max(WINDOW)).max(over);
        let mut reads = Self::of(&measured[from..])?;
        if from == over {
            // The refresher's cache was emptied when the last event was to be over, which may be a moment before it was.
            let planned = measured.partition_point(|row| (row.start_ms + 1000) * 1_000_000 <= impact.emptied_ns);
            let late: u64 = measured[planned.min(over)..over].iter().filter_map(|row| row.floor).sum();
            reads.floor += late as f64;
        }
        Some(reads)
    }
}

/// How many requests were to be answered.
fn offered(rows: &[&BinRow]) -> f64 {
    rows.iter().map(|row| row.offered).sum::<u64>() as f64
}

/// How many were answered well.
fn good(rows: &[&BinRow]) -> f64 {
    rows.iter().map(|row| row.completed.saturating_sub(row.shed)).sum::<u64>() as f64
}

/// Of those who were to ask, how many were answered well.
fn share(good: f64, offered: f64) -> f64 {
    if offered > 0.0 { good / offered } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A second of an open load of 100 requests: answered well, reads of the origin, floor of these.
    type Second = (u64, u64, u64);

    const WELL: Second = (100, 30, 30);
    const BAD: Second = (20, 90, 30);
    const LIFE: Duration = Duration::from_secs(10);

    fn rows(seconds: &[Second], offered: u64) -> Vec<BinRow> {
        let row = |(start, (good, reads, floor)): (i64, &Second)| BinRow {
            start_ms: start * 1000,
            offered,
            sent: offered,
            completed: *good,
            errors: offered.saturating_sub(*good),
            origin_starts: Some(*reads),
            floor: Some(*floor),
            ..BinRow::default()
        };
        (0..).zip(seconds).map(row).collect()
    }

    /// With events from second 10 on.
    fn hurt(over_s: i64, life: Duration, clients: Option<u32>) -> Impact {
        let ns = |s: i64| s * 1_000_000_000;
        let service = Duration::from_millis(200);
        Impact {
            from_ns: ns(10),
            over_ns: ns(over_s),
            emptied_ns: ns(over_s),
            service,
            service_max: service,
            capacity: 1000.0,
            clients,
            clients_ramp: false,
            life,
        }
    }

    fn of(seconds: &[Second], impact: Impact) -> Option<Healed> {
        let rows = rows(seconds, 100);
        healed(&rows, impact, rows.len() as i64 * 1_000_000_000)
    }

    fn run(bad: usize, tail: &[Second]) -> Vec<Second> {
        [&[WELL; 10][..], &vec![BAD; bad], tail].concat()
    }

    #[test]
    fn who_answers_as_before_has_recovered_and_who_fails_to_the_end_has_not() {
        let open = hurt(10, LIFE, None);
        let well = [WELL; 40];
        assert_eq!(of(&run(7, &well), open), Some(Healed::After(7.0)));
        assert_eq!(of(&run(0, &well), open), Some(Healed::After(0.0)));
        assert_eq!(of(&run(7, &well), hurt(15, LIFE, None)), Some(Healed::After(2.0)), "from the last event's end");
        assert_eq!(of(&run(60, &[]), open), Some(Healed::Never));
        assert_eq!(of(&run(5, &[&well[..], &[BAD; 3]].concat()), open), Some(Healed::Never), "again");
        assert_eq!(of(&run(40, &well[..9]), open), Some(Healed::Never), "nine seconds are not enough");
        assert_eq!(of(&run(29, &[]), open), None, "it may come");
        // One request in a hundred now and then is nobody's trouble.
        let now_and_then = [&[(99, 30, 30)][..], &[WELL; 7]].concat().repeat(6);
        assert_eq!(of(&run(0, &now_and_then), open), Some(Healed::After(0.0)));
        // Answers from stale values, over an origin that is never left alone.
        assert_eq!(of(&run(5, &[(100, 90, 30); 40]), open), Some(Healed::Never));
        assert_eq!(of(&run(5, &[(100, 90, 30); 20]), open), None, "it may come");
        let busy = |reads: u64| [&[(100, 90, 30); 10][..], &[(100, reads, 30); 40]].concat();
        assert_eq!(of(&busy(108), open), Some(Healed::After(0.0)), "1.2 times as often as before");
        assert_eq!(of(&busy(140), open), Some(Healed::Never));
        // What expired together comes back together, a TTL later, and is no more than it must be.
        let waves = [&[(100, 90, 90); 6][..], &[(100, 0, 0); 14]].concat().repeat(2);
        assert_eq!(of(&run(5, &waves), open), Some(Healed::After(5.0)));
    }

    #[test]
    fn what_a_baseline_does_not_contain_is_not_compared_with_it() {
        let minute = hurt(10, Duration::from_secs(60), None);
        let of_minute = |reads: u64, floor: u64| {
            let quiet = [&[(100, 0, 0); 10][..], &[(100, reads, floor)], &[(100, 0, 0); 89]].concat();
            of(&quiet, minute)
        };
        // The one read that a flush makes everybody do, and what a lock that changed hands adds.
        assert_eq!(of_minute(0, 0), Some(Healed::After(0.0)));
        let again = [&[(100, 0, 0); 10][..], &[(100, 1, 1)], &[(100, 0, 0); 50], &[(100, 2, 1)], &[(100, 0, 0); 38]];
        assert_eq!(of(&again.concat(), minute), Some(Healed::After(0.0)));
        // A herd where nobody was seen to have one before: not known.
        let herd = [&[(100, 0, 0); 10][..], &[(100, 0, 0); 51], &[(100, 60, 1)], &[(100, 0, 0); 38]].concat();
        assert_eq!(of(&herd, minute), None);
        assert_eq!(of(&herd, hurt(10, LIFE, None)), Some(Healed::After(0.0)), "it is over, by a life of 10 s");
        // It fails at an expiry: perhaps it always does. It fails all the time: that is no expiry.
        let at_expiry = [&run(0, &[WELL; 80])[..], &[BAD; 5]].concat();
        assert_eq!(of(&at_expiry, minute), None);
        assert_eq!(of(&at_expiry, hurt(10, LIFE, None)), Some(Healed::Never));
        assert_eq!(of(&run(70, &[]), minute), Some(Healed::Never));
    }

    #[test]
    fn a_floor_that_began_a_moment_before_the_event_was_over_counts() {
        let late = Impact { emptied_ns: 10_900_000_000, ..hurt(11, Duration::from_secs(60), None) };
        let flush = [&[(100, 0, 0); 10][..], &[(100, 0, 3), (100, 3, 0)], &[(100, 0, 0); 40]].concat();
        assert_eq!(of(&flush, late), Some(Healed::After(0.0)));
    }

    #[test]
    fn what_chance_explains_is_no_failure_to_recover() {
        let open = hurt(10, LIFE, None);
        let few = |good: &[u64]| {
            let rows = rows(&good.iter().map(|good| (*good, 1, 1)).collect::<Vec<_>>(), 1);
            healed(&rows, open, rows.len() as i64 * 1_000_000_000)
        };
        // One request a second, of which one fails in the end: of ten before none did, which says little.
        assert_eq!(few(&[&[1; 50][..], &[0], &[1; 2]].concat()), None);
        assert_eq!(few(&[&[1; 20][..], &[0; 33]].concat()), Some(Healed::Never));
        assert_eq!(few(&[1; 53]), Some(Healed::After(0.0)));
        let nobody = [&[WELL; 40][..], &[(0, 0, 0); 10]].concat();
        let mut rows = rows(&nobody, 100);
        rows[40..].iter_mut().for_each(|row| (row.offered, row.sent, row.errors) = (0, 0, 0));
        assert_eq!(healed(&rows, open, 50_000_000_000), None, "nobody asked in the end");
    }

    #[test]
    fn never_is_said_only_where_the_origin_had_the_time() {
        // 900 reads are to be made again: with 20 a second that takes 45 s, and ten more until it is seen.
        let slow = Impact { capacity: 20.0, ..hurt(10, Duration::from_secs(30), None) };
        assert_eq!(of(&run(54, &[]), slow), None);
        assert_eq!(of(&run(55, &[]), slow), Some(Healed::Never));
    }

    #[test]
    fn without_enough_seconds_nothing_is_said_of_recovery() {
        let open = hurt(10, LIFE, None);
        assert_eq!(of(&[WELL; 19], open), None);
        assert_eq!(of(&[WELL; 20], open), Some(Healed::After(0.0)));
        // A closed load's rate is never the same twice.
        let slower = run(0, &[(92, 30, 30); 30]);
        assert_eq!(of(&slower, hurt(10, LIFE, Some(50))), Some(Healed::After(0.0)));
        assert_eq!(of(&slower, open), Some(Healed::Never));
        let ramped = Impact { clients_ramp: true, ..hurt(10, LIFE, Some(50)) };
        assert_eq!(of(&slower, ramped), None, "its rate is that of another number of clients");
    }

    #[test]
    fn a_closed_load_that_stands_still_at_each_expiry_is_judged_by_whole_cycles() {
        // Of 25 s five stand still; before the event no expiry was seen.
        let cycle = [&[(0, 1, 1); 5][..], &[WELL; 20]].concat();
        let stands = [&[WELL; 10][..], &cycle.repeat(4)].concat();
        let waits = |clients| Impact { service: Duration::from_secs(5), ..hurt(10, Duration::from_secs(20), clients) };
        let rows: Vec<BinRow> = rows(&stands, 100)
            .into_iter()
            .map(|row| BinRow { offered: row.completed, sent: row.completed, errors: 0, ..row })
            .collect();
        assert_eq!(healed(&rows, waits(Some(50)), 110_000_000_000), None);
        // With one cycle before it is known to be normal.
        let known =
            Impact { from_ns: 35_000_000_000, over_ns: 35_000_000_000, emptied_ns: 35_000_000_000, ..waits(Some(50)) };
        assert_eq!(healed(&rows, known, 110_000_000_000), Some(Healed::After(0.0)));
    }
}
