//! How far advice reaches: its main knob turned, and days that are not usual.

use super::Job;
use super::candidates::neighbours;
use super::choose::Choice;
use super::record::{Knob, KnobValue, Limit, Setting, Verdict};
use super::trials::Tried;
use super::words::{figure, peak};
use super::world::{Change, World};
use crate::exit::Failure;

impl Job {
    /// What was chosen, with its main knob turned.
    pub(super) fn main_knob(&self, world: World, choice: &Choice) -> Result<Option<Knob>, Failure> {
        let Some((name, values)) = neighbours(&self.ask, &choice.chosen().candidate) else { return Ok(None) };
        let all: Vec<_> = values.iter().map(|(_, candidate)| candidate.clone()).collect();
        if all.len() < 2 {
            return Ok(None);
        }
        let ranking = self.run(&format!("{name}, the main knob"), world, &all, world.capacity)?;
        let rows = self.rows(world, "scenario.toml");
        let came = |canonical: &str| ranking.iter().find(|tried| tried.candidate.spec.canonical() == canonical);
        let values: Vec<KnobValue> = values
            .iter()
            .filter_map(|(value, candidate)| {
                let tried = came(candidate.spec.canonical())?;
                Some(KnobValue { value: value.clone(), setting: rows.setting(tried) })
            })
            .collect();
        Ok(Some(Knob { name: name.to_owned(), words: knob_in_words(name, &values), values }))
    }

    /// What was chosen and the runner-up, on days that are not usual.
    pub(super) fn limits(&self, world: World, choice: &Choice) -> Result<Vec<Limit>, Failure> {
        let both: Vec<_> =
            [choice.chosen()].into_iter().chain(choice.runner_up()).map(|t| t.candidate.clone()).collect();
        let limit = |change: Change| {
            let world = world.with(change);
            let ranking = self.run(&world.in_words(), world, &both, world.capacity)?;
            let file = format!("{}.toml", change.name());
            let rows = self.rows(world, &file);
            let find = |at: usize| {
                let canonical = both.get(at)?.spec.canonical();
                ranking.iter().find(|tried| tried.candidate.spec.canonical() == canonical)
            };
            let (Some(chosen), other) = (find(0), find(1)) else {
                return Err(Failure::failed("a setting was lost: a bug"));
            };
            let verdict = verdict(chosen, other);
            let (chosen, runner_up) = (rows.setting(chosen), other.map(|other| rows.setting(other)));
            let words = in_words(verdict, &chosen, runner_up.as_ref());
            Ok(Limit { name: change.name().into(), what: world.in_words(), verdict, words, chosen, runner_up })
        };
        Change::ALL.into_iter().map(limit).collect()
    }
}

fn verdict(chosen: &Tried, other: Option<&Tried>) -> Verdict {
    match (chosen.meets, other.is_some_and(|other| other.meets)) {
        (true, true) if !chosen.alike => Verdict::RunnerUpBetter,
        (true, _) => Verdict::Holds,
        (false, true) => Verdict::Switch,
        (false, false) => Verdict::Neither,
    }
}

fn in_words(verdict: Verdict, chosen: &Setting, other: Option<&Setting>) -> String {
    let own = short(chosen);
    let other_name = other.map_or("nothing else", |other| other.strategy.as_str());
    let others = other.map_or_else(String::new, short);
    let misses = chosen.misses.join(", ");
    match verdict {
        Verdict::Holds => format!("still right: {own}"),
        Verdict::RunnerUpBetter => format!("it does ({own}), but {other_name} does better: {others}"),
        Verdict::Switch => format!("no longer right ({misses}): take {other_name}, {others}"),
        Verdict::Neither => {
            let other = other
                .map_or_else(String::new, |other| format!("; nor is {} ({})", other.strategy, other.misses.join(", ")));
            format!("not enough by itself ({misses}){other}")
        }
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
    let missed = if missing.is_empty() { String::new() } else { format!("; {} miss the goal", missing.join(", ")) };
    match (good.as_slice(), good.len() == values.len()) {
        ([], _) => format!("no value of {name} meets the goal"),
        (_, true) => format!(
            "{name} hardly matters here: from {} to {} the runs tell no difference",
            good[0],
            good[good.len() - 1]
        ),
        ([one], _) => format!("{name} matters: {one} is told apart from all other values{missed}"),
        _ => format!("{name}: {} are not told apart{missed}", good.join(", ")),
    }
}
