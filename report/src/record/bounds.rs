//! What a number in a record may be, so that whatever reads one later need not defend itself.
//!
//! A number's name carries its unit, and the unit carries its bounds: one table for `run.json`, baselines, sweeps, noise
//! files, `events.jsonl` and every CSV column. A field that is added gets its bounds by its name. They are far beyond what any
//! run can come to (a scenario lasts two days at most), and so small that sums and differences of a whole file cannot overflow.
//! docs/records.md has the table for people.

/// The longest time, seconds: 31 years.
const TIME_MAX_S: f64 = 1e9;
/// How many of the shortest time that is not nought are a second.
const TIMES_MIN_PER_S: f64 = 1e9;
/// The largest count.
const COUNT_MAX: f64 = 1e12;
/// The largest number of bytes.
const BYTES_MAX: f64 = 1e18;
/// The largest number that is no count and no time, and the smallest that is not nought.
const NUMBER_MAX: f64 = 1e100;
const NUMBER_MIN: f64 = 1e-100;

/// Moments and offsets, which may lie before their zero, and what people set as they like. No other number may be negative.
const SIGNED: [&str; 13] = [
    "start_ms",
    "second",
    "t_ns",
    "arrived_ns",
    "start_ns",
    "began_ns",
    "commit_began_ns",
    "committed_ns",
    "end_ns",
    "clock_offset_ns",
    "number",
    "limit",
    "worst",
];
/// Any whole number is as good a seed as any other.
const SEEDS: [&str; 2] = ["seed", "seeds"];
/// Probabilities and shares have no least value: a chance may be as small as it likes.
const CHANCES: [&str; 4] = ["p", "p_holm", "share", "hit_ratio"];

/// Entries of a list or a map, by its name.
const LISTS: [(&str, usize); 10] = [
    ("strategies", STRATEGIES_MAX),
    ("blocks", REPEATS_MAX),
    ("repeats", REPEATS_MAX),
    ("values", POINTS_MAX),
    // Each is a panel.
    ("charted", 16),
    ("order", STRATEGIES_MAX),
    ("comparisons", 4 * STRATEGIES_MAX),
    ("points", POINTS_MAX),
    ("ranking", POINTS_MAX),
    ("seeds", POINTS_MAX),
];
/// Points of a sweep, which has as many runs at most.
const POINTS_MAX: usize = 50_000;
/// Entries of any other list.
const LIST_MAX: usize = 20_000;
/// The longest text, bytes.
pub(crate) const TEXT_MAX: usize = 1 << 16;
/// Strategies of one run, or of one sweep.
pub const STRATEGIES_MAX: usize = 100;
/// Runs of one strategy.
pub const REPEATS_MAX: usize = 100;

/// How many entries the list of this name may have.
pub(crate) fn list_max(name: &str) -> usize {
    LISTS.iter().find(|(list, _)| *list == name).map_or(LIST_MAX, |(_, most)| *most)
}

/// What a number of some name may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NumberBound {
    /// Its smallest value.
    from: f64,
    /// Its largest value.
    to: f64,
    /// Its smallest distance from nought, where it is not nought.
    least: f64,
}

impl NumberBound {
    /// The bounds of a number by its dotted path, `latency_ms.p99`: those of the last part of it that names a unit.
    pub(crate) fn of<'p>(path: impl DoubleEndedIterator<Item = &'p str>) -> Self {
        let mut from_last = path.rev().peekable();
        let signed = from_last.peek().is_some_and(|name| SIGNED.contains(name));
        let (to, least) = from_last.find_map(of_unit).unwrap_or((NUMBER_MAX, NUMBER_MIN));
        Self { from: if signed { -to } else { 0.0 }, to, least }
    }

    /// The same of a whole number, which is a count where nothing else is said.
    fn whole(self) -> Self {
        if self.to == NUMBER_MAX { Self { to: COUNT_MAX, least: 0.0, ..self } } else { self }
    }

    /// What is wrong with a whole number, as `found` against `allowed`.
    pub(crate) fn check_whole(self, found: i128) -> Result<(), String> {
        let whole = self.whole();
        // The bounds are whole numbers that a float holds exactly.
        if (whole.from as i128..=whole.to as i128).contains(&found) { Ok(()) } else { Err(whole.refusal(&found)) }
    }

    /// What is wrong with a number, as `found` against `allowed`.
    pub(crate) fn check(self, found: f64) -> Result<(), String> {
        let small = found != 0.0 && found.abs() < self.least;
        if (self.from..=self.to).contains(&found) && !small { Ok(()) } else { Err(self.refusal(&format!("{found:e}"))) }
    }

    fn refusal(self, found: &dyn std::fmt::Display) -> String {
        let Self { from, to, least } = self;
        let from = if from == 0.0 { "0".to_owned() } else { format!("{from:e}") };
        let least =
            if least > 0.0 && least < 1.0 { format!(" and nothing between 0 and {least:e}") } else { String::new() };
        format!("found {found}, allowed {from} to {to:e}{least}")
    }
}

/// The largest value that this part of a path says, and the smallest that is not nought.
fn of_unit(part: &str) -> Option<(f64, f64)> {
    let time = |per_second: f64| Some((TIME_MAX_S * per_second, per_second / TIMES_MIN_PER_S));
    match part.rsplit_once('_').map_or("", |(_, unit)| unit) {
        _ if SEEDS.contains(&part) => Some((u64::MAX as f64, 0.0)),
        _ if part == "second" => time(1.0),
        "share" => Some((NUMBER_MAX, 0.0)),
        _ if CHANCES.contains(&part) => Some((NUMBER_MAX, 0.0)),
        "bytes" => Some((BYTES_MAX, 0.0)),
        "ns" => time(1e9),
        "ms" => time(1e3),
        "s" => time(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> NumberBound {
        NumberBound::of(path.split('.'))
    }

    #[test]
    fn a_unit_is_that_of_the_last_part_that_names_one() {
        assert_eq!(of("strategies.latency_ms.p99"), NumberBound { from: 0.0, to: 1e12, least: 1e-6 });
        assert_eq!(of("duration_s"), NumberBound { from: 0.0, to: 1e9, least: 1e-9 });
        assert_eq!(of("clock_offset_ns"), NumberBound { from: -1e18, to: 1e18, least: 1.0 });
        assert_eq!(of("stale.share").least, 0.0);
        assert_eq!(of("s"), of("requests"), "a name without a unit");
    }

    #[test]
    fn absurd_numbers_are_refused_and_odd_ones_are_not() {
        for (path, found) in [("requests", 0), ("seed", u64::MAX), ("requests", 1_000_000_000_000)] {
            assert_eq!(of(path).check_whole(found.into()), Ok(()), "{path} {found}");
        }
        for (path, found) in [("requests", -1), ("requests", u64::MAX.into()), ("t_ns", i64::MIN.into())] {
            assert!(of(path).check_whole(found).is_err(), "{path} {found}");
        }
        for (path, found) in [("duration_s", 0.0), ("p", 1e-300), ("ratio", 0.5), ("latency_ms.p50", 0.000_01)] {
            assert_eq!(of(path).check(found), Ok(()), "{path} {found}");
        }
        for found in [1e308, -1.0, 1e-300, f64::INFINITY, f64::NAN] {
            let said = of("duration_s").check(found).unwrap_err();
            assert!(said.starts_with("found ") && said.contains("allowed 0 to 1e9"), "{said}");
        }
    }
}
