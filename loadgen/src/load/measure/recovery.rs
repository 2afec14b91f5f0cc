//! How long a scenario's events hurt: in which seconds requests failed or waited as they should not, and when that was over.
//!
//! By rows of `seconds.csv`, so that anybody can count again, and by the same scale for every strategy: to wait for one
//! read of the origin is no trouble, whatever does it. Whether the run recovered is next door (`healed.rs`).

use report::record::{BinRow, Recovery};

use super::healed::{Healed, healed};
use super::impact::Impact;

/// Beyond so many reads of the origin, one after the other, a response is too late,
const READS: f64 = 2.0;
/// but for what polls, time-outs of the cache and a busy machine take, milliseconds.
const SLACK_MS: f64 = 100.0;
/// When a second's last response came, milliseconds since t = 0; not before its end.
fn until_ms(row: &BinRow) -> f64 {
    row.start_ms as f64 + row.max_ms.unwrap_or(0.0).max(1000.0)
}

/// The recovery, from the measured seconds; `None` where no second was over before the first event, and where the run was cut
/// short before it.
///
/// A second is in trouble where a request that was sent in it failed or was shed; where one took longer than two reads of
/// the origin (or than one in ten thousand does) and 100 ms, and than any before the first event; or where more requests
/// waited for the origin than when everything expires at once (a fifth more than there are clients, or, of an open load,
/// than arrive in a service time; and one for each key that is asked for) and than in any second before. Its trouble lasts
/// until the second ends and its slowest response has come.
#[must_use]
pub fn recovery(seconds: &[BinRow], impact: Impact, end_ns: i64) -> Option<Recovery> {
    if end_ns <= impact.from_ns {
        return None;
    }
    let ms = |ns: i64| ns as f64 / 1e6;
    let measured = seconds.iter().filter(|row| row.start_ms >= 0 && (row.start_ms as f64) < ms(end_ns));
    let (before, after): (Vec<&BinRow>, Vec<&BinRow>) = measured.partition(|row| until_ms(row) <= ms(impact.from_ns));
    let slowest_before = before.iter().map(|row| row.max_ms.unwrap_or(0.0)).reduce(f64::max)?;
    let two_reads = (impact.service.mul_f64(READS)).max(impact.service_max);
    let slow_ms = (two_reads.as_secs_f64() * 1e3 + SLACK_MS).max(slowest_before);
    let waits = |row: &BinRow| (row.wait + row.load) as f64;
    let waits_before = before.iter().map(|row| waits(row)).fold(0.0, f64::max);
    let in_trouble = |row: &&&BinRow| {
        row.errors + row.shed > 0
            || row.max_ms.is_some_and(|slowest| slowest > slow_ms)
            || waits(row) > impact.waits_max(row).max(waits_before)
    };
    let troubled: Vec<f64> = after.iter().filter(in_trouble).map(|row| until_ms(row)).collect();
    let over = troubled.iter().copied().fold(ms(impact.over_ns), f64::max);
    // Of a run that was cut short before the last event was over nobody can say.
    let ended = impact.over_ns < end_ns && (troubled.is_empty() || over < ms(end_ns));
    let after_s = ended.then(|| (over - ms(impact.over_ns)).round() / 1e3);
    let healed = healed(seconds, impact, end_ns);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let impact = Impact {
            from_ns: ns(from_s),
            over_ns: ns(over_s),
            emptied_ns: ns(over_s),
            service: Duration::from_millis(200),
            service_max: Duration::from_millis(200),
            capacity: 100.0,
            clients,
            clients_ramp: false,
            life: Duration::from_secs(5),
        };
        recovery(&rows, impact, ns(rows.len() as i64)).map(|r| (r.troubled_s, r.after_s))
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
        // Of an open load 80 of 400 arrive in a service time, three standard deviations more by chance.
        for (wait, is_trouble) in [(105, false), (106, true)] {
            let seen = with(None, &[WELL, Second { wait, ..WELL }, WELL], 1, 1);
            assert_eq!(seen.map(|(troubled_s, _)| troubled_s), Some(u64::from(is_trouble)), "{wait}");
        }
        let many = Second { wait: 300, ..WELL };
        assert_eq!(of(&[many, WELL, many, WELL], 2, 2), Some((0, Some(0.0))), "as many wait on a good day");
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
        // A request of second 1, before the event, had its answer at 5.5.
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
        let failing = Second { errors: 1, ..WELL };
        assert_eq!(of(&[WELL, WELL, failing], 2, 9), Some((1, None)), "cut short while the event went on");
        assert_eq!(of(&[WELL, WELL, WELL], 2, 9), Some((0, None)), "likewise");
        assert_eq!(of(&[WELL, WELL], 2, 9), None, "cut short before it");
    }
}
