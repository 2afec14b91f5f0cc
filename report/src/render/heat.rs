//! Requests by second and response time: what a heat map is made of, kept small.
//!
//! A step of response time goes from one preferred number to the next (ISO 3, R10: 1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3,
//! 8), ten to a decade, so that its ends are short numbers and 1, 2 and 5 are among them. Every request of the log is in
//! one step, and none is in two: what is drawn sums to what was recorded. Seconds are kept apart up to [`SECONDS_MAX`], so
//! whatever a page makes its columns of is exact; in a longer run they are put together as its page does it.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// More columns of time than this are nothing that a screen could show.
pub(crate) const COLUMNS_MAX: u64 = 1200;
/// A run of so many seconds has each of them for itself.
const SECONDS_MAX: u64 = 7200;
/// The preferred numbers of a decade, times a hundred.
const PREFERRED: [u64; 10] = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800];
/// The first step begins at a microsecond, and has what is shorter, too.
const FIRST_DECADE: u32 = 3;
/// So many steps reach beyond the longest time that a log may hold, 10^18 ns.
pub(crate) const STEPS_MAX: u8 = 160;

/// How many requests there were in each second and step of response time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeatCells {
    each_s: u64,
    /// By the first second of the cell and its step.
    counts: BTreeMap<(u32, u8), u64>,
}

impl HeatCells {
    /// No requests yet of a measured phase of this length, seconds.
    pub(crate) fn of_a_run(duration_s: f64) -> Self {
        let seconds = duration_s.ceil().max(1.0) as u64;
        let each_s = if seconds <= SECONDS_MAX { 1 } else { seconds.div_ceil(COLUMNS_MAX) };
        Self { each_s, counts: BTreeMap::new() }
    }

    /// Counts a histogram of nanoseconds whose interval begins `start_ms` after t = 0; one before t = 0 is not counted.
    pub(crate) fn count(&mut self, start_ms: i64, histogram: &Histogram<u64>) {
        let second = u64::try_from(start_ms).ok().map(|ms| ms / 1000 / self.each_s * self.each_s);
        let Some(second) = second.and_then(|second| u32::try_from(second).ok()) else { return };
        for found in histogram.iter_recorded() {
            let count = self.counts.entry((second, step_of(found.value_iterated_to()))).or_default();
            *count = count.saturating_add(found.count_since_last_iteration());
        }
    }

    /// The cells in order: first second, step, requests.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, u8, u64)> {
        self.counts.iter().map(|((second, step), count)| (*second, *step, *count))
    }

    /// All requests.
    pub(crate) fn total(&self) -> u64 {
        self.each().fold(0, |sum, (.., count)| sum.saturating_add(count))
    }

    /// The second of the last cell.
    pub(crate) fn last_second(&self) -> Option<u32> {
        self.counts.keys().next_back().map(|(second, _)| *second)
    }
}

/// The step that a time lies in.
fn step_of(ns: u64) -> u8 {
    let Some(decade) = ns.checked_ilog10().and_then(|decade| decade.checked_sub(FIRST_DECADE)) else { return 0 };
    let hundredths = ns / 10_u64.pow(decade + 1);
    let within = PREFERRED.iter().rposition(|from| *from <= hundredths).unwrap_or(0);
    u8::try_from(decade as usize * PREFERRED.len() + within).unwrap_or(STEPS_MAX).min(STEPS_MAX - 1)
}

/// Where a step begins, milliseconds; the first one as if it had only what is a microsecond or longer.
pub(crate) fn step_ms(step: u8) -> f64 {
    let (decade, within) = (u32::from(step) / 10, usize::from(step) % 10);
    (PREFERRED[within] * 10_u64.pow(decade.min(17) + 1)) as f64 / 1e6
}

/// The same in words, without the unit: `0`, `0.315`, `1250`.
pub(crate) fn step_said(step: u8) -> String {
    if step == 0 { "0".to_owned() } else { step_ms(step).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl IntoIterator<Item = (u64, u64)>) -> Histogram<u64> {
        let mut all = Histogram::new(3).unwrap();
        values.into_iter().for_each(|(ns, count)| all.record_n(ns, count).unwrap());
        all
    }

    #[test]
    fn a_step_has_its_beginning_and_not_its_end() {
        for step in 1..STEPS_MAX {
            let from = (step_ms(step) * 1e6).round() as u64;
            assert_eq!((step_of(from - 1), step_of(from)), (step - 1, step), "{}", step_said(step));
            // What a histogram takes for one value may lie in two steps; a number as it was typed lies in its own.
            assert_eq!(step_of(histogram([(from, 1)]).max()), step);
        }
        assert_eq!([0, 1, 999, 1000, 1249].map(step_of), [0; 5], "what is shorter than the first is in the first");
        assert_eq!(step_of(u64::MAX), STEPS_MAX - 1);
        let words = [0, 1, 5, 30, 35, 36, 61].map(step_said);
        assert_eq!(words, ["0", "0.00125", "0.00315", "1", "3.15", "4", "1250"]);
    }

    /// Whatever was recorded, and whatever the file says of it: each request is in one cell, and there are few cells.
    #[test]
    fn requests_are_conserved_and_cells_are_bounded() {
        let values = (0..18).flat_map(|decade| [1, 3, 7].map(|n| (n * 10_u64.pow(decade), n)));
        let one = histogram(values.chain([(0, 5)]));
        let mut cells = HeatCells::of_a_run(60.0);
        for start_ms in [0, 999, 1000, 59_400] {
            cells.count(start_ms, &one);
        }
        cells.count(-1, &one);
        assert_eq!(cells.total(), 4 * one.len());
        let of = |second| cells.each().filter(|cell| cell.0 == second).map(|cell| cell.2).sum::<u64>();
        assert_eq!([0, 1, 2, 59].map(of), [2 * one.len(), one.len(), 0, one.len()]);
        assert_eq!((cells.each().next(), cells.last_second()), (Some((0, 0, 2 * (5 + 11 * 3 + 1))), Some(59)));

        let mut huge = HeatCells::of_a_run(60.0);
        let most = histogram([(1_000_000, u64::MAX / 2)]);
        (0..3).for_each(|_| huge.count(0, &most));
        assert_eq!(huge.total(), u64::MAX);
    }

    #[test]
    fn a_long_run_is_kept_as_its_page_shows_it() {
        let columns = |duration_s: f64| {
            let mut cells = HeatCells::of_a_run(duration_s);
            let one = histogram([(1_000_000, 1)]);
            (0..duration_s as i64).step_by(7).for_each(|second| cells.count(second * 1000, &one));
            (cells.each_s, cells.each().count() as u64, cells.total())
        };
        assert_eq!(columns(7200.0), (1, 1029, 1029));
        let (each_s, count, total) = columns(86_400.0);
        assert_eq!((each_s, total), (72, 12_343));
        assert!(count <= COLUMNS_MAX, "{count}");
        let mut late = HeatCells::of_a_run(1e9);
        late.count(999_999_999_999, &histogram([(1, 1)]));
        assert_eq!((late.total(), HeatCells::of_a_run(f64::NAN).each_s), (1, 1));
    }
}
