//! How far advice reaches, in words: its main knob turned, and days that are not usual.

use super::back::{Back, COMES_BACK, back, failed, is_gone, severity};
use super::candidates::neighbours;
use super::choose::Choice;
use super::job::AdviceJob;
use super::peak::peak_max;
use super::record::{DayVerdict, KnobValue, MainKnob, Rows, Setting};
use super::sentences::{figure, peak};
use super::simulated_day::{DayChange, SimulatedDay};
use super::trials::{Fate, Tried, Unknown};
use crate::shell::command_line::quoted;

/// A share of requests that hardly anybody notices.
const HARDLY: f64 = 0.001;

impl AdviceJob {
    /// What was chosen, with its main knob turned: values that were ranked with all seeds.
    pub(super) fn main_knob(&self, rows: &Rows<'_>, choice: &Choice) -> Option<MainKnob> {
        let (name, values) = neighbours(&self.ask, choice.chosen().candidate())?;
        let seeds = self.runner.seeds().len();
        let values: Vec<KnobValue> = values
            .into_iter()
            .filter_map(|(value, candidate)| {
                let canonical = candidate.spec.canonical();
                let is = |tried: &&Tried| tried.candidate().spec.canonical() == canonical;
                let tried = choice
                    .ranking
                    .iter()
                    .find(is)
                    .filter(|tried| tried.is_known() && tried.entry.fates.len() >= seeds)?;
                Some(KnobValue { value, setting: rows.setting(tried) })
            })
            .collect();
        (values.len() > 1).then(|| MainKnob { name: name.to_owned(), words: knob_in_words(name, &values), values })
    }
}

/// What a day says of the advice.
pub(super) fn in_words(
    world: SimulatedDay,
    verdict: DayVerdict,
    rows: &Rows<'_>,
    chosen: &Tried,
    other: Option<&Tried>,
) -> String {
    let own = came_of(world, rows, chosen);
    let named = |other: &Tried| format!("--strategy {}", quoted(other.candidate().spec.name()));
    let others = other.map(|other| (named(other), came_of(world, rows, other)));
    match (verdict, others) {
        (DayVerdict::RunnerUpBetter, Some((name, came))) => format!("it does ({own}), but {name} does better: {came}"),
        (DayVerdict::NotKnown, Some((name, came))) if other.is_some_and(|other| other.meets) => {
            format!("{own}. {name} holds: {came}")
        }
        (DayVerdict::NotKnown, _) => own,
        (DayVerdict::Switch, Some((name, came))) if severity(world.change, chosen) < HARDLY => {
            format!("nearly right: {own}. With {name} none: {came}")
        }
        (DayVerdict::Switch, Some((name, came))) if other.is_some_and(|other| !other.meets) => {
            format!("no longer right: {own}. Better, though not enough, is {name}: {came}")
        }
        (DayVerdict::Switch, Some((name, came))) => format!("no longer right: {own}. Take {name}: {came}"),
        (DayVerdict::Holds, _) => format!("still right: {own}"),
        (_, _)
            if COMES_BACK.contains(&world.change) && matches!(back(world.change, &chosen.entry), Back::Yes { .. }) =>
        {
            format!("it comes back: {own}; nothing that was tried does much better")
        }
        (_, Some((name, came))) => format!("not enough: {own}; nor {name}: {came}"),
        (_, None) => format!("not enough: {own}"),
    }
}

/// What came of a strategy on such a day: `p99 201 ms, peak 44 reads/s` where it meets the goal; else what it misses.
fn came_of(world: SimulatedDay, rows: &Rows<'_>, tried: &Tried) -> String {
    if let Some(unknown) = came_of_unknown(tried) {
        return unknown;
    }
    let setting = rows.setting(tried);
    let fates = fates_in_words(world.change, &tried.entry.fates);
    let most = tried.spread("origin.max_per_second").map_or(0.0, |spread| spread.max);
    if !fates.is_empty() {
        return fates;
    }
    if !tried.meets {
        return if most > peak_max(world.capacity) && !COMES_BACK.contains(&world.change) {
            format!("more than the origin can at once, though no request failed ({})", tried.misses.join(", "))
        } else {
            tried.misses.join(", ")
        };
    }
    let lost = tried.entry.fates.iter().map(|fate| fate.errors).max().unwrap_or(0);
    let s = if lost == 1 { " failed" } else { "s failed" };
    let lost = if lost > 0 { format!(", up to {lost} request{s}") } else { String::new() };
    short(&setting) + &lost
}

/// Why it is not known what came of it; `None` where it is.
pub(super) fn came_of_unknown(tried: &Tried) -> Option<String> {
    tried.entry.unknown.as_ref().map(Unknown::in_words)
}

/// Where requests failed or a run did not come back: how many, in how many of the runs, and how it ended. Empty where all went well.
fn fates_in_words(change: DayChange, fates: &[Fate]) -> String {
    let n = fates.len();
    let of = |k: usize| if k == n { String::new() } else { format!(" in {k} of {n} runs") };
    let bad: Vec<f64> = fates.iter().map(|fate| failed(change, fate)).filter(|share| *share > 0.0).collect();
    let gone = fates.iter().filter(|fate| is_gone(change, fate)).count();
    let unsaid = fates.iter().filter(|fate| COMES_BACK.contains(&change) && fate.recovered.is_none()).count();
    if bad.is_empty() && gone == 0 {
        let unsaid_only = format!("no request failed, and whether it recovered is not known{}", of(unsaid));
        return if unsaid == 0 { String::new() } else { unsaid_only };
    }
    let (least, most) = bad.iter().fold((1.0_f64, 0.0_f64), |(l, m), share| (l.min(*share), m.max(*share)));
    let range = if percent(least) == percent(most) {
        percent(most)
    } else {
        format!("{} to {}", percent(least), percent(most))
    };
    if bad.is_empty() {
        return format!("no request failed, but IT HAD NOT RECOVERED when the run ended{}", of(gone));
    }
    let failing = format!("{range} of requests failed{}", of(bad.len()));
    let after: Vec<f64> = fates.iter().filter_map(|fate| fate.recovered_after_s).collect();
    let longest = after.iter().copied().fold(0.0, f64::max);
    match gone {
        0 if unsaid > 0 => format!("{failing}, and whether it recovered is not known{}", of(unsaid)),
        0 if after.is_empty() || change == DayChange::Crash && longest == 0.0 => failing,
        0 if longest == 0.0 => format!("{failing}, and no more than 1% once it was over"),
        0 => format!("{failing}, and no more than 1% from {longest:.0} s after it on"),
        gone if change == DayChange::Crash && gone == bad.len() => format!("{failing}, until the run ended"),
        gone if change == DayChange::Crash => format!("{failing}, until the run ended{}", of(gone)),
        gone => format!("{failing}, and IT HAD NOT RECOVERED when the run ended{}", of(gone)),
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p < 0.1 => "<0.1%".into(),
        p if p < 10.0 => format!("{p:.1}%"),
        p => format!("{p:.0}%"),
    }
}

/// `p99 201 ms, peak 44 reads/s`.
fn short(setting: &Setting) -> String {
    format!("p99 {} ms, peak {} reads/s", figure(setting, "latency_ms.p99"), peak(setting))
}

/// From where to where the knob may be turned.
fn knob_in_words(name: &str, values: &[KnobValue]) -> String {
    let good: Vec<&str> =
        values.iter().filter(|v| v.setting.meets_goal && v.setting.as_good_as_best).map(|v| v.value.as_str()).collect();
    let missing: Vec<&str> = values.iter().filter(|v| !v.setting.meets_goal).map(|v| v.value.as_str()).collect();
    let s = if missing.len() == 1 { "es" } else { "" };
    let missed = if missing.is_empty() { String::new() } else { format!("; {} miss{s} the goal", missing.join(", ")) };
    match (good.as_slice(), good.len() == values.len()) {
        ([], _) if missing.len() == values.len() => format!("no value of {name} meets the goal"),
        ([], _) => format!("no value of {name} is as good as the best{missed}"),
        (_, true) => {
            format!("{name} hardly matters here: from {} to {} all values are as good", good[0], good[good.len() - 1])
        }
        ([one], _) => format!("{name} matters: no other value is as good as {one}{missed}"),
        _ => format!("{name}: {} are as good as each other{missed}", good.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(shed: u64, recovered: Option<bool>, after: Option<f64>) -> Fate {
        let (seed, requests, errors, cut_after_s) = (42, 1000, 0, None);
        Fate { seed, requests, errors, shed, recovered, recovered_after_s: after, cut_after_s }
    }

    #[test]
    fn what_failed_is_told_as_it_was_and_nothing_is_where_nothing_did() {
        let (well, gone) = (fate(0, Some(true), Some(0.0)), fate(0, Some(false), None));
        let lossy = |shed, after| fate(shed, Some(true), Some(after));
        for (change, fates, words) in [
            (DayChange::LostCache, vec![well, well], ""),
            (
                DayChange::LostCache,
                vec![lossy(10, 3.0), lossy(50, 9.0)],
                "1.0% to 5.0% of requests failed, and no more than 1% from 9 s after it on",
            ),
            (
                DayChange::LostCache,
                vec![well, lossy(10, 0.0)],
                "1.0% of requests failed in 1 of 2 runs, and no more than 1% once it was over",
            ),
            (
                DayChange::Cold,
                vec![fate(500, Some(false), None); 2],
                "50% of requests failed, and IT HAD NOT RECOVERED when the run ended",
            ),
            // Nobody was refused, and the origin is read more than before to the end.
            (
                DayChange::Cold,
                vec![well, gone],
                "no request failed, but IT HAD NOT RECOVERED when the run ended in 1 of 2 runs",
            ),
            // One replica less is read for one more often: no harm by itself.
            (DayChange::Crash, vec![gone, gone], ""),
            (
                DayChange::Crash,
                vec![fate(20, Some(false), None), well],
                "2.0% of requests failed in 1 of 2 runs, until the run ended",
            ),
            (DayChange::Load, vec![fate(3, None, None); 2], "0.3% of requests failed"),
            // Nobody can say, and so nobody does.
            (
                DayChange::Cold,
                vec![fate(0, None, None), well],
                "no request failed, and whether it recovered is not known in 1 of 2 runs",
            ),
            (
                DayChange::LostCache,
                vec![fate(20, None, None); 2],
                "2.0% of requests failed, and whether it recovered is not known",
            ),
        ] {
            assert_eq!(fates_in_words(change, &fates), words, "{change:?} {fates:?}");
        }
    }
}
