//! What advice says to people.

use std::path::Path;

use report::sweep::figure_text;
use strategies::units::duration_text;

use super::ask::{Ask, tidy};
use super::candidates::Candidates;
use super::record::{Advice, Rows, Setting};
use super::world::{Change, World};
use crate::exit::Failure;
use crate::table::table;

/// What a simulation does not know.
pub const NOT_SIMULATED: &str = "no processor time, no network but an idle machine's loopback, no memory limit of the cache, \
                                 one constant service time.\n         A latency below 1 ms means that nobody waited, no more. Measure what you choose";

/// What would be simulated.
///
/// # Errors
/// [`Failure`] where a flag is out of range.
pub fn plan(ask: &Ask, usual: World, candidates: &Candidates, seeds: u64) -> Result<String, Failure> {
    let scenario = usual.scenario(ask)?;
    let (measured, warmup) = usual.times();
    let settings = candidates.tried.len();
    let mut text = format!("# {}\n", ask.in_words());
    text += &format!(
        "# a perfect cache reads {} times a second; the origin does {}{}\n",
        tidy(ask.floor),
        tidy(ask.capacity),
        if ask.floor > ask.capacity { ": not enough" } else { "" }
    );
    text += &format!("# goal: {}\n", ask.goal(usual.capacity, &scenario.keys)?.text);
    text += &format!(
        "# {settings} settings × {seeds} seeds of {} after {} of warm-up{}:\n",
        duration_text(measured),
        duration_text(warmup),
        if usual.reduced { " (one setting a preset: the load is heavy)" } else { "" }
    );
    for candidate in &candidates.tried {
        text += &format!("#   {} = {}\n", candidate.spec.name(), candidate.spec.canonical());
    }
    for left_out in &candidates.left_out {
        text += &format!("# not tried: {left_out}\n");
    }
    let days: Vec<String> = Change::ALL.into_iter().map(|change| usual.with(change).in_words()).collect();
    text += &format!("# then the best two with {}; nothing was run\n\n", days.join(", "));
    Ok(text + &scenario.to_toml())
}

/// The answer.
#[must_use]
pub fn answer(ask: &Ask, advice: &Advice, folder: &Path) -> String {
    let mut text = format!("asked    {}\n", ask.in_words());
    text += &capacity(ask, advice);
    text += &chosen(advice);
    text += &costs(advice);
    text += &ranking(advice);
    if let Some(knob) = &advice.main_knob {
        text += &format!("\nknob     {}\n", knob.words);
        let mut rows = vec![["", "reads/s", "peak", "p99 ms", "at once", "ops/req"].map(str::to_owned).to_vec()];
        rows[0][0].clone_from(&knob.name);
        rows.extend(knob.values.iter().map(|value| {
            let s = &value.setting;
            let [per_second, p99, at_once, ops] =
                ["origin.per_second", "latency_ms.p99", "hit_ratio", "cache_ops_per_request"].map(|m| figure(s, m));
            vec![value.value.clone(), per_second, peak(s), p99, at_once, ops]
        }));
        text += &table(&rows, 1, |column| column > 0);
    }
    text += "\nand on other days\n";
    text += &advice.limits.iter().map(|limit| format!("  {}: {}\n", limit.what, limit.words)).collect::<String>();
    text += &format!("\nunknown  {}\n", advice.not_simulated);
    text + &places(advice, folder)
}

/// Whether any strategy can do it, before anything else.
fn capacity(ask: &Ask, advice: &Advice) -> String {
    let capacity = &advice.capacity;
    let (given, floor, would) = (tidy(ask.capacity), tidy(capacity.floor_per_s), tidy(capacity.simulated_per_s));
    let mut text = if capacity.floor_per_s > ask.capacity {
        let ttl = capacity.ttl_that_would_do_s.map_or_else(String::new, |s| {
            format!(", or a TTL of {s}s with which a perfect cache needs {given} reads/s or less")
        });
        format!(
            "\nNO STRATEGY CAN DO THIS. Even a perfect cache, which reads a key once for everybody and never twice, needs\n\
             {floor} origin reads/s in the mean, and your origin does {given}.\n\
             What would do: an origin of {would} reads/s (what follows is for such a one){ttl}.\n"
        )
    } else if !capacity.enough && capacity.simulated_per_s > ask.capacity {
        format!(
            "\nNOTHING THAT WAS TRIED CAN DO THIS. In the mean {floor} reads/s are needed and your origin does {given}, but in its\n\
             highest second every setting wants more. What would do: an origin of {would} reads/s (what follows is for such a one).\n"
        )
    } else if !advice.goal_met {
        "\nNO SETTING MEETS THE GOAL, and a larger origin alone would not help. What follows is the nearest miss.\n"
            .into()
    } else {
        format!("origin   a perfect cache would read {floor} times a second; yours does {given}: it can be done\n")
    };
    if let Some(rounded) = &capacity.rounded {
        text += &format!("note     {rounded}\n");
    }
    text
}

fn chosen(advice: &Advice) -> String {
    let (chosen, n) = (&advice.chosen, advice.simulated.seeds.len());
    let composition =
        if chosen.strategy == chosen.composition { String::new() } else { format!("   (= {})", chosen.composition) };
    let alike: Vec<&Setting> = advice.ranking.iter().filter(|s| s.meets_goal && s.as_good_as_best).collect();
    let better = advice.ranking.first().filter(|best| best.strategy != chosen.strategy);
    let why = match (advice.goal_met, alike.len(), better) {
        (false, ..) => format!("the nearest miss: {}", chosen.misses.join(", ")),
        (_, 1, _) => format!("it meets the goal best, and over {n} seeds every other setting is told apart from it"),
        (_, alike, None) => {
            format!("it meets the goal best; {} more are not told apart from it, and none is simpler", alike - 1)
        }
        (_, alike, Some(best)) => format!(
            "{alike} settings are not told apart from the best ({}), and this is the simplest of them",
            best.strategy
        ),
    };
    format!("\nADVICE   --strategy '{}'{composition}\nwhy      {why}\ngoal     {}\n", chosen.strategy, advice.goal)
}

/// What the chosen setting costs.
fn costs(advice: &Advice) -> String {
    let (chosen, capacity) = (&advice.chosen, advice.capacity.simulated_per_s);
    let mean = |metric: &str| chosen.spread(metric).map_or(f64::NAN, |spread| spread.mean);
    let share = |value: f64| if capacity > 0.0 { format!("{:.0}%", value / capacity * 100.0) } else { String::new() };
    let per_second = mean("origin.per_second");
    let most = chosen.spread("origin.max_per_second").map_or(f64::NAN, |spread| spread.max);
    let waited = 1.0 - mean("hit_ratio");
    let stale = if mean("stale.share") > 0.0 {
        format!(
            "{} of answers are past their TTL, by {} ms at most",
            figure(chosen, "stale.share"),
            worst(chosen, "stale.overage_ms_max")
        )
    } else {
        "no answer is past its TTL".to_owned()
    };
    let jitter = if chosen.composition.contains("jitter") { " (jitter's longer TTLs not counted)" } else { "" };
    format!(
        "costs    origin {} reads/s in the mean ({} of what it can), {} in its highest second ({})\n         \
         p99 {} ms, longest {} ms; {} of requests wait for the origin; {stale}{jitter}\n         \
         {} cache operations a request\n",
        tidy(per_second),
        share(per_second),
        tidy(most),
        share(most),
        figure(chosen, "latency_ms.p99"),
        worst(chosen, "latency_ms.max"),
        figure_text("hit_ratio", waited),
        figure(chosen, "cache_ops_per_request"),
    )
}

/// The best setting of every preset.
fn ranking(advice: &Advice) -> String {
    let mut shown: Vec<&Setting> = vec![&advice.chosen];
    for setting in &advice.ranking {
        if !shown.iter().any(|s| s.family == setting.family) {
            shown.push(setting);
        }
    }
    let head = ["", "strategy", "reads/s", "peak", "p99 ms", "at once", "stale", "ops/req", "parts", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().enumerate().map(|(at, setting)| {
        let mark = match (at, setting.meets_goal, setting.as_good_as_best) {
            (0, ..) => "→",
            (_, true, true) => "~",
            (_, true, false) => "",
            (_, false, _) => "✗",
        };
        let [per_second, p99, at_once, stale, ops] =
            ["origin.per_second", "latency_ms.p99", "hit_ratio", "stale.share", "cache_ops_per_request"]
                .map(|metric| figure(setting, metric));
        let misses = setting.misses.join(", ");
        let cells = [mark.to_owned(), setting.strategy.clone(), per_second, peak(setting), p99, at_once, stale, ops];
        cells.into_iter().chain([setting.parts.to_string(), misses]).collect()
    }));
    let simulated = &advice.simulated;
    let reduced =
        if simulated.reduced { "; the load is heavy, so only one setting of each preset was tried" } else { "" };
    let left_out: String = advice.left_out.iter().map(|text| format!("not tried: {text}\n")).collect();
    format!(
        "\n{}  → advised   ~ not told apart from the best   ✗ misses the goal   peak: the most origin reads in any second, of all \
         seeds\n  at once: answered without waiting for the origin. The best of each preset, of {} settings × {} seeds of {} s{reduced}.\n{left_out}",
        table(&rows, 1, |column| column > 1 && column < 9),
        simulated.settings,
        simulated.seeds.len(),
        simulated.measured_s
    )
}

/// Where it lies, and how a line is run again.
fn places(advice: &Advice, folder: &Path) -> String {
    let path = folder.display().to_string();
    let file = format!("{path}/{}", advice.simulated.scenario);
    let rows = Rows { file: &file, measured_s: 1.0, replicas: advice.asked.replicas, seed: advice.asked.seed };
    format!(
        "\nresults  {path}: advice.json (all settings), scenario.toml, a scenario for each other day\n\
         alone    {}\n         any line of the tables so, with --strategy and the file of the day ({})\n",
        rows.command(&advice.chosen.strategy),
        Change::ALL.map(|change| format!("{}.toml", change.name())).join(", ")
    )
}

/// The mean of a figure as people read it.
#[must_use]
pub fn figure(setting: &Setting, metric: &str) -> String {
    let text = |mean: f64| if metric == "origin.per_second" { tidy(mean) } else { figure_text(metric, mean) };
    setting.spread(metric).map_or_else(|| "–".into(), |spread| text(spread.mean))
}

/// The largest of a figure.
fn worst(setting: &Setting, metric: &str) -> String {
    setting.spread(metric).map_or_else(|| "–".into(), |spread| figure_text(metric, spread.max))
}

/// The most origin reads in any second of all seeds.
#[must_use]
pub fn peak(setting: &Setting) -> String {
    worst(setting, "origin.max_per_second")
}
