//! How long a scenario's events hurt: in which seconds requests failed or waited as they should not, and when that was over.
//!
//! By rows of `seconds.csv`, so that anybody can count again, and by the same scale for every strategy: to wait for one
//! read of the origin is no trouble, whoever does it.

use std::time::Duration;

use report::record::{BinRow, Recovery};

/// Beyond so many reads of the origin, one after the other, a response is too late,
const READS: f64 = 2.0;
/// but for what polls, time-outs of the cache and a busy machine take, milliseconds.
const SLACK_MS: f64 = 100.0;
/// When everything expires at once everybody waits once; and here and there one a second time.
const WAITS: f64 = 1.2;

/// The half of invariant P2 that is about rates: in the end as large a share of requests is answered well as before, and the
/// origin is read no more than so much as often (`docs/metastable.md`).
const OF_A_SHARE: f64 = 0.99;
/// The rate of a closed load is its server's, and no two of its seconds are alike.
const OF_A_RATE: f64 = 0.9;
const READS_AGAIN: f64 = 1.2;
/// Seconds that are judged together.
const WINDOW: usize = 10;
/// Who is not well after so many seconds has not recovered; before that nobody can say.
const PATIENCE: usize = 30;

/// When the events hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hurt {
    /// The first one's moment, nanoseconds since t = 0.
    pub from_ns: i64,
    /// When the last one was over, nanoseconds since t = 0.
    pub over_ns: i64,
    /// The origin's mean service time while nothing is wrong with it.
    pub service: Duration,
    /// How many clients there are; none of an open load.
    pub clients: Option<u32>,
    /// The TTL: the origin is read in cycles of that length.
    pub ttl: Duration,
}

impl Hurt {
    /// How many requests of a second may wait for the origin.
    fn waits_max(&self, row: &BinRow) -> f64 {
        let everybody = match self.clients {
            Some(clients) => f64::from(clients),
            None => row.sent as f64 * self.service.as_secs_f64(),
        };
        everybody * WAITS
    }
}

/// When a second's last response came, milliseconds since t = 0; not before its end.
fn until_ms(row: &BinRow) -> f64 {
    row.start_ms as f64 + row.max_ms.unwrap_or(0.0).max(1000.0)
}

/// The recovery, from the measured seconds; `None` where no second was over before the first event.
///
/// A second is in trouble where a request that was sent in it failed or was shed; where one took longer than two reads of
/// the origin and 100 ms, and than any before the first event; or where more requests waited for the origin than when
/// everything expires at once: a fifth more than there are clients, or (of an open load) than arrive in a service time. Its
/// trouble lasts until the second ends and its slowest response has come.
#[must_use]
pub fn recovery(seconds: &[BinRow], hurt: Hurt, end_ns: i64) -> Option<Recovery> {
    let ms = |ns: i64| ns as f64 / 1e6;
    let measured = seconds.iter().filter(|row| row.start_ms >= 0 && (row.start_ms as f64) < ms(end_ns));
    let (before, after): (Vec<&BinRow>, Vec<&BinRow>) = measured.partition(|row| until_ms(row) <= ms(hurt.from_ns));
    let slowest_before = before.iter().map(|row| row.max_ms.unwrap_or(0.0)).reduce(f64::max)?;
    let slow_ms = (hurt.service.as_secs_f64() * 1e3 * READS + SLACK_MS).max(slowest_before);
    let in_trouble = |row: &&&BinRow| {
        row.errors + row.shed > 0
            || row.max_ms.is_some_and(|slowest| slowest > slow_ms)
            || (row.wait + row.load) as f64 > hurt.waits_max(row)
    };
    let troubled: Vec<f64> = after.iter().filter(in_trouble).map(|row| until_ms(row)).collect();
    let over = troubled.iter().copied().fold(ms(hurt.over_ns), f64::max);
    let ended = troubled.is_empty() || over < ms(end_ns);
    let after_s = ended.then(|| (over - ms(hurt.over_ns)).round() / 1e3);
    let healed = healed(seconds, hurt, end_ns);
    Some(Recovery {
        troubled_s: troubled.len() as u64,
        after_s,
        recovered: healed.map(|healed| healed != Healed::Never),
        recovered_after_s: healed.and_then(|healed| match healed {
            Healed::Never => None,
            Healed::After(seconds) => Some(seconds),
        }),
    })
}

/// Whether a run recovered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Healed {
    /// It did not.
    Never,
    /// So many seconds after the last event's end.
    After(f64),
}

/// Whether it is as well in the end as it was before, and since when: the half of P2 that is about rates. `None` of a run that
/// does not have [`WINDOW`] whole seconds after the events and one before them, and of one that is not well and does not have
/// [`PATIENCE`].
///
/// Since when goes by [`WINDOW`]s of which all that follow are well. The origin's reads are counted over one TTL (or a window)
/// at the end, for many keys that were read together are read together again, and set against the busiest window before; two
/// seconds' peaks may be in it by chance.
fn healed(seconds: &[BinRow], hurt: Hurt, end_ns: i64) -> Option<Healed> {
    let within = |row: &&BinRow| row.start_ms >= 0 && (row.start_ms + 1000) * 1_000_000 <= end_ns;
    let measured: Vec<&BinRow> = seconds.iter().filter(within).collect();
    let before = &measured[..measured.partition_point(|row| (row.start_ms + 1000) * 1_000_000 <= hurt.from_ns)];
    let after = &measured[measured.partition_point(|row| row.start_ms * 1_000_000 < hurt.over_ns)..];
    if before.is_empty() || after.len() < WINDOW {
        return None;
    }
    let (least, goodput) = match hurt.clients {
        Some(_) => (OF_A_RATE, good_per_second as fn(&[&BinRow]) -> f64),
        None => (OF_A_SHARE, good_share as fn(&[&BinRow]) -> f64),
    };
    let enough = least * goodput(before);
    let last_bad = after.windows(WINDOW).rposition(|window| goodput(window) < enough);
    let well_from = last_bad.map_or(0, |bad| bad + 1);
    let cycle = usize::try_from(hurt.ttl.as_secs()).unwrap_or(usize::MAX).max(WINDOW).min(after.len());
    // The busiest window before: a cache that was just filled is not asked for anew yet.
    let window = WINDOW.min(before.len());
    let then = before.windows(window).filter_map(reads).map(|reads| reads / window as f64).reduce(f64::max);
    let calm = reads(&after[after.len() - cycle..]).zip(then).is_none_or(|(now, then)| {
        let peak = before.iter().filter_map(|row| row.origin_starts).max().unwrap_or(0);
        now <= READS_AGAIN * then * cycle as f64 + 2.0 * peak as f64
    });
    Some(match after.get(well_from).filter(|_| calm && well_from + WINDOW <= after.len()) {
        None if after.len() < PATIENCE => return None,
        None => Healed::Never,
        Some(_) if well_from == 0 => Healed::After(0.0),
        Some(row) => Healed::After((row.start_ms as f64 - hurt.over_ns as f64 / 1e6).round() / 1e3),
    })
}

/// Of those who were to ask, how many were answered well.
fn good_share(rows: &[&BinRow]) -> f64 {
    let offered: u64 = rows.iter().map(|row| row.offered).sum();
    if offered == 0 {
        1.0
    } else {
        rows.iter().map(|row| row.completed - row.shed).sum::<u64>() as f64 / offered as f64
    }
}

/// How many were answered well in a second.
fn good_per_second(rows: &[&BinRow]) -> f64 {
    rows.iter().map(|row| row.completed - row.shed).sum::<u64>() as f64 / rows.len() as f64
}

/// Reads of the origin; `None` where nobody knows.
fn reads(rows: &[&BinRow]) -> Option<f64> {
    rows.iter().map(|row| row.origin_starts).sum::<Option<u64>>().map(|reads| reads as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second with 400 requests of 50 clients.
    #[derive(Clone, Copy, Debug)]
    struct Second {
        max_ms: f64,
        errors: u64,
        shed: u64,
        wait: u64,
    }

    const WELL: Second = Second { max_ms: 210.0, errors: 0, shed: 0, wait: 49 };

    fn of(rows: &[Second], from_s: i64, over_s: i64) -> Option<(u64, Option<f64>)> {
        with(Some(50), rows, from_s, over_s)
    }

    fn with(clients: Option<u32>, rows: &[Second], from_s: i64, over_s: i64) -> Option<(u64, Option<f64>)> {
        let row = |(start, second): (i64, &Second)| BinRow {
            start_ms: start * 1000,
            sent: 400,
            errors: second.errors,
            shed: second.shed,
            wait: second.wait,
            load: 1,
            max_ms: Some(second.max_ms),
            ..BinRow::default()
        };
        let rows: Vec<BinRow> = (0..).zip(rows).map(row).collect();
        let ns = |s: i64| s * 1_000_000_000;
        let hurt = Hurt {
            from_ns: ns(from_s),
            over_ns: ns(over_s),
            service: Duration::from_millis(200),
            clients,
            ttl: Duration::from_secs(5),
        };
        recovery(&rows, hurt, ns(rows.len() as i64)).map(|r| (r.troubled_s, r.after_s))
    }

    #[test]
    fn trouble_is_who_failed_who_waited_too_long_and_too_many_who_waited() {
        for (second, is_trouble) in [
            (WELL, false),
            (Second { errors: 1, ..WELL }, true),
            (Second { shed: 1, ..WELL }, true),
            (Second { max_ms: 499.0, ..WELL }, false),
            (Second { max_ms: 501.0, ..WELL }, true),
            // And one that led.
            (Second { wait: 59, ..WELL }, false),
            (Second { wait: 60, ..WELL }, true),
        ] {
            let expected = if is_trouble { (1, Some(1.0)) } else { (0, Some(0.0)) };
            assert_eq!(of(&[WELL, WELL, second, WELL, WELL], 2, 2), Some(expected), "{second:?}");
        }
        // Of an open load 80 of 400 arrive in a service time.
        for (wait, is_trouble) in [(95, false), (96, true)] {
            let seen = with(None, &[WELL, Second { wait, ..WELL }, WELL], 1, 1);
            assert_eq!(seen.map(|(troubled_s, _)| troubled_s), Some(u64::from(is_trouble)), "{wait}");
        }
        let slower = Second { max_ms: 900.0, ..WELL };
        assert_eq!(of(&[slower, WELL, slower, WELL], 2, 2), Some((0, Some(0.0))), "it is as slow on a good day");
    }

    #[test]
    fn it_lasts_until_its_slowest_response_came_and_counts_from_the_last_events_end() {
        let failing = Second { errors: 3, ..WELL };
        // Trouble in seconds 2, 3 and 4; the fault is over at 4.
        assert_eq!(of(&[WELL, WELL, failing, failing, failing, WELL], 2, 4), Some((3, Some(1.0))));
        // It is over before the fault is.
        assert_eq!(of(&[WELL, WELL, failing, WELL, WELL, WELL], 2, 5), Some((1, Some(0.0))));
        // Somebody who asked in second 1, before the event, had his answer at 5.5.
        let stuck = Second { max_ms: 4500.0, ..WELL };
        assert_eq!(of(&[WELL, stuck, WELL, WELL, WELL, WELL], 2, 2), Some((1, Some(3.5))));
    }

    #[test]
    fn without_an_end_or_a_beginning_nothing_is_made_up() {
        assert_eq!(
            of(&[WELL, WELL, WELL, Second { errors: 1, ..WELL }], 2, 2),
            Some((1, None)),
            "in trouble to the last"
        );
        assert_eq!(of(&[WELL, WELL], 0, 1), None, "nothing is known of a normal second");
        assert_eq!(of(&[], 0, 0), None);
    }

    /// So many seconds of an open load with 100 requests each, 30 of them reads of the origin, by (answered well, reads).
    fn healed_of(
        seconds: &[(u64, u64)],
        from_s: i64,
        over_s: i64,
        clients: Option<u32>,
    ) -> (Option<bool>, Option<f64>) {
        let row = |(start, (good, reads)): (i64, &(u64, u64))| BinRow {
            start_ms: start * 1000,
            offered: 100,
            sent: 100,
            completed: *good,
            errors: 100 - good,
            origin_starts: Some(*reads),
            ..BinRow::default()
        };
        let rows: Vec<BinRow> = (0..).zip(seconds).map(row).collect();
        let ns = |s: i64| s * 1_000_000_000;
        let (service, ttl) = (Duration::from_millis(200), Duration::from_secs(20));
        let hurt = Hurt { from_ns: ns(from_s), over_ns: ns(over_s), service, clients, ttl };
        let recovery = recovery(&rows, hurt, ns(rows.len() as i64)).unwrap();
        (recovery.recovered, recovery.recovered_after_s)
    }

    #[test]
    fn who_answers_as_before_has_recovered_and_who_fails_to_the_end_has_not() {
        let run = |bad: usize, tail: &[(u64, u64)]| [&[(100, 30); 10][..], &vec![(20, 90); bad], tail].concat();
        let well = [(100, 30); 40];
        assert_eq!(healed_of(&run(7, &well), 10, 10, None), (Some(true), Some(7.0)));
        assert_eq!(healed_of(&run(0, &well), 10, 10, None), (Some(true), Some(0.0)));
        assert_eq!(healed_of(&run(7, &well), 10, 15, None), (Some(true), Some(2.0)), "from the last event's end");
        assert_eq!(healed_of(&run(60, &[]), 10, 10, None), (Some(false), None), "never");
        assert_eq!(
            healed_of(&run(5, &[&well[..], &[(20, 90); 3]].concat()), 10, 10, None),
            (Some(false), None),
            "again"
        );
        assert_eq!(healed_of(&run(40, &well[..9]), 10, 10, None), (Some(false), None), "nine seconds are not enough");
        assert_eq!(healed_of(&run(29, &[]), 10, 10, None), (None, None), "it may come");
        // One request in a hundred now and then is nobody's trouble.
        let now_and_then = [&[(99, 30)][..], &[(100, 30); 7]].concat().repeat(6);
        assert_eq!(healed_of(&run(0, &now_and_then), 10, 10, None), (Some(true), Some(0.0)));
        // Answers from stale values, over an origin that is never left alone.
        assert_eq!(healed_of(&run(5, &[(100, 90); 40]), 10, 10, None), (Some(false), None));
        assert_eq!(healed_of(&run(5, &[(100, 36); 40]), 10, 10, None), (Some(true), Some(5.0)), "1.2 times as often");
        // What expired together comes back together, a TTL later, and is no more than before.
        let waves = [&[(100, 90); 6][..], &[(100, 0); 14]].concat().repeat(2);
        assert_eq!(healed_of(&run(5, &waves), 10, 10, None), (Some(true), Some(5.0)));
    }

    #[test]
    fn without_enough_seconds_nothing_is_said_of_recovery() {
        assert_eq!(healed_of(&[(100, 30); 19], 10, 10, None), (None, None));
        assert_eq!(healed_of(&[(100, 30); 20], 10, 10, None), (Some(true), Some(0.0)));
        // A closed load's rate is never the same twice.
        let slower = [&[(100, 30); 10][..], &[(92, 30); 30]].concat();
        assert_eq!(healed_of(&slower, 10, 10, Some(50)).0, Some(true));
        assert_eq!(healed_of(&slower, 10, 10, None).0, Some(false));
    }
}
