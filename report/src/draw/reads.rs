//! Origin reads: the floor beside them, and the herd around an expiry, for charts and page.

use crate::record::{Run, Strategy};
use crate::render::digest::{Aligned, Digest, HERD_BIN_S, HERD_SPAN_S};
use crate::text::phrases;
use crate::text::theory;

/// How long after the last read the axis of the herds ends, and its earliest end, seconds.
const MARGIN_S: f64 = 0.1;
const END_MIN_S: f64 = 0.4;

/// The floor as mean reads a second.
pub(crate) fn floor_rate(run: &Run, strategy: &Strategy) -> Option<f64> {
    let measured_s = strategy.measured_s(run);
    let floor = strategy.origin.as_ref()?.floor?;
    (measured_s > 0.0).then_some(floor as f64 / measured_s)
}

/// Where the axis of the herds ends: a little after the last read of the widest one.
pub(crate) fn herd_end_s<'d>(digests: impl Iterator<Item = &'d Digest>) -> f64 {
    let last = digests.filter_map(|digest| digest.herd.end_s()).reduce(f64::max);
    last.map_or(HERD_SPAN_S.1, |last| (last + MARGIN_S).clamp(END_MIN_S, HERD_SPAN_S.1))
}

/// A herd's mean reads: (from, to, reads), seconds.
pub(crate) fn herd_bars(digest: &Digest) -> impl Iterator<Item = (f64, f64, f64)> {
    let start = |at: usize| HERD_SPAN_S.0 + at as f64 * HERD_BIN_S;
    digest.herd.bins.iter().enumerate().map(move |(at, reads)| (start(at), start(at + 1), *reads))
}

/// What the zero of a panel is, and how many reads followed it.
pub(crate) fn herd_said(strategy: &Strategy, digest: &Digest) -> String {
    let by_theory = match (&strategy.predicted, theory::no_herd(strategy)) {
        (Some(predicted), _) => format!(", by theory {:.1}", predicted.per_expiry),
        (None, Some(because)) => format!(" (no theory: {because})"),
        (None, None) => String::new(),
    };
    herd_what(strategy, digest, &by_theory)
}

/// The same with these words about theory.
pub(crate) fn herd_what(strategy: &Strategy, digest: &Digest, by_theory: &str) -> String {
    if strategy.origin.is_none() {
        return phrases::NO_LEDGER.to_owned();
    }
    if digest.herd_lacks().is_some() {
        return "not known".to_owned();
    }
    let reads: f64 = digest.herd.bins.iter().sum();
    let written = if strategy.writes.is_some() { ", those after writes included" } else { "" };
    match digest.herd.aligned {
        Aligned::Expiries(count) => {
            format!(
                "mean of {count} {}: {reads:.1} reads each in {:.0} s{written}{by_theory}",
                plural(count, "expiry", "expiries"),
                HERD_SPAN_S.1
            )
        }
        Aligned::Refreshes(count) => {
            format!(
                "never seen to expire, so zero is the first read of each of its {count} {}: {reads:.1} reads each in {:.0} s{written}{by_theory}",
                plural(count, "refresh", "refreshes"),
                HERD_SPAN_S.1
            )
        }
        Aligned::FirstWave(at) => {
            format!("zero is the first expiry of any key, {at:.2} s into the run; {reads:.0} reads shown")
        }
        Aligned::FirstRead(at) => {
            format!("no expiry seen, so zero is the first read, {at:.2} s into the run; {reads:.0} reads shown")
        }
        Aligned::Nothing => "nothing to align on: no expiry and no read whole within the measured phase".to_owned(),
    }
}

fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}
