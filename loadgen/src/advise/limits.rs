//! How far advice reaches: its main knob turned, and days that are not usual.

use super::Job;
use super::ask::tidy;
use super::candidates::{Candidate, neighbours};
use super::choose::Choice;
use super::record::{Knob, KnobValue, Limit, Setting, Verdict};
use super::trials::Tried;
use super::words::{figure, peak};
use super::world::{Change, World};
use crate::exit::Failure;
use crate::settings::quoted;
use report::sweep::figure_text;

impl Job {
    /// What was chosen, with its main knob turned.
    pub(super) fn main_knob(&self, world: World, choice: &Choice) -> Result<Option<Knob>, Failure> {
        let Some((name, values)) = neighbours(&self.ask, &choice.chosen().candidate) else { return Ok(None) };
        let all: Vec<_> = values.iter().map(|(_, candidate)| candidate.clone()).collect();
        if all.len() < 2 {
            return Ok(None);
        }
        let ranking = self.run(&format!("{name}, the main knob"), world, &all)?;
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
        Change::days(&self.ask).into_iter().map(|change| self.limit(change, world, choice)).collect()
    }

    /// The same on one such day; nothing is simulated where no strategy can do it.
    fn limit(&self, change: Change, world: World, choice: &Choice) -> Result<Limit, Failure> {
        let both: Vec<_> =
            [choice.chosen()].into_iter().chain(choice.runner_up()).map(|t| t.candidate.clone()).collect();
        let world = world.with(change);
        let floor = world.floor(&self.ask, &world.scenario(&self.ask)?.keys);
        if floor > world.capacity {
            let (needed, does) = (tidy(floor), tidy(world.capacity));
            return Ok(Limit {
                name: change.name().into(),
                what: world.in_words(),
                verdict: Verdict::NoStrategyCan,
                words: format!(
                    "no strategy can: a perfect cache needs {needed} reads/s, and the origin then does {does}"
                ),
                chosen: None,
                runner_up: None,
            });
        }
        let ranking = self.run(&world.in_words(), world, &both)?;
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
        let rescue = if verdict == Verdict::Neither { self.rescue(world, choice, chosen)? } else { None };
        let (verdict, other) = rescue.as_ref().map_or((verdict, other), |rescue| (Verdict::Switch, Some(rescue)));
        let (chosen, runner_up) = (rows.setting(chosen), other.map(|other| rows.setting(other)));
        let words = in_words(verdict, &chosen, runner_up.as_ref());
        Ok(Limit {
            name: change.name().into(),
            what: world.in_words(),
            verdict,
            words,
            chosen: Some(chosen),
            runner_up,
        })
    }

    /// Where requests fail with the best two: who of the other presets, each at its best on the usual day, meets the goal here.
    fn rescue(&self, world: World, choice: &Choice, failed: &Tried) -> Result<Option<Tried>, Failure> {
        let fails = ["errors", "outcomes.shed"].iter().any(|m| failed.spread(m).is_none_or(|spread| spread.max > 0.0));
        let passed = choice.ranking.iter().filter(|tried| fails && tried.meets).map(|tried| &tried.candidate);
        let mut families = vec![choice.chosen().candidate.family];
        families.extend(choice.runner_up().map(|tried| tried.candidate.family));
        let mut others: Vec<Candidate> = Vec::new();
        for candidate in passed {
            if !families.contains(&candidate.family) {
                families.push(candidate.family);
                others.push(candidate.clone());
            }
        }
        if others.is_empty() {
            return Ok(None);
        }
        let what = format!("{}, the others", world.in_words());
        let once = self.run_with(&self.bench.with_seeds(1), &what, world, &others)?;
        let Some(one) = once.first().filter(|tried| tried.meets) else { return Ok(None) };
        let again = self.run(&what, world, std::slice::from_ref(&one.candidate))?;
        Ok(again.into_iter().find(|tried| tried.meets))
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
    let name = |setting: &Setting| format!("--strategy {}", quoted(&setting.strategy));
    let other_name = other.map_or_else(|| "nothing else".to_owned(), name);
    let others = other.map_or_else(String::new, short);
    let misses = chosen.misses.join(", ");
    match verdict {
        Verdict::Holds => format!("still right: {own}"),
        Verdict::RunnerUpBetter => format!("it does ({own}), but {other_name} does better: {others}"),
        Verdict::Switch => format!("no longer right ({misses}): take {other_name}, {others}"),
        Verdict::Neither | Verdict::NoStrategyCan => {
            let other = other.map_or_else(String::new, |s| format!("; nor {} ({})", name(s), s.misses.join(", ")));
            let failing = match failing(chosen) {
                Some(0.0) => "more than the origin can at once, though no request fails".to_owned(),
                Some(share) => format!("not enough: {} of requests fail", figure_text("hit_ratio", share)),
                None => "not enough".to_owned(),
            };
            format!("{failing} ({misses}){other}")
        }
    }
}

/// The share of requests that fail or are refused, where it is known.
fn failing(setting: &Setting) -> Option<f64> {
    let mean = |metric: &str| setting.spread(metric).map(|spread| spread.mean);
    let (errors, shed, requests) = (mean("errors")?, mean("outcomes.shed")?, mean("requests")?);
    (requests > 0.0).then(|| (errors + shed) / requests)
}

/// `p99 201 ms, peak 44 reads/s`, and what failed, if anything did.
fn short(setting: &Setting) -> String {
    let errors = setting.spread("errors").map_or(0.0, |spread| spread.max);
    let errors = if errors > 0.0 { format!(", up to {errors} requests fail") } else { String::new() };
    format!("p99 {} ms, peak {} reads/s{errors}", figure(setting, "latency_ms.p99"), peak(setting))
}

/// From where to where the knob may be turned.
fn knob_in_words(name: &str, values: &[KnobValue]) -> String {
    let good: Vec<&str> =
        values.iter().filter(|v| v.setting.meets_goal && v.setting.as_good_as_best).map(|v| v.value.as_str()).collect();
    let missing: Vec<&str> = values.iter().filter(|v| !v.setting.meets_goal).map(|v| v.value.as_str()).collect();
    let missed = if missing.is_empty() { String::new() } else { format!("; {} miss the goal", missing.join(", ")) };
    match (good.as_slice(), good.len() == values.len()) {
        ([], _) => format!("no value of {name} meets the goal"),
        (_, true) => {
            format!("{name} hardly matters here: from {} to {} all values are as good", good[0], good[good.len() - 1])
        }
        ([one], _) => format!("{name} matters: no other value is as good as {one}{missed}"),
        _ => format!("{name}: {} are as good as each other{missed}", good.join(", ")),
    }
}
