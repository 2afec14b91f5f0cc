//! What advice says to people.

use std::path::Path;

use report::sweep::figure_text;
use strategies::spec::LAYERS;
use strategies::units::duration_text;

use super::ask::Question;
use super::candidates::Candidates;
use super::numbers::tidy;
use super::record::{Advice, DayVerdict, Limit, Rows, Setting};
use super::simulated_day::{DayChange, SimulatedDay};
use crate::shell::command_line::quoted;
use crate::shell::exit::Failure;
use crate::shell::table::table;

/// What a simulation does not know.
pub const NOT_SIMULATED: &str = "no processor time, no network but an idle machine's loopback, no memory limit of the cache, \
                                 one law of service times.\n         A latency below 1 ms means that nobody waited, no more. Measure what you choose";

/// What would be simulated.
///
/// # Errors
/// [`Failure`] where a flag is out of range.
pub fn plan(ask: &Question, usual: SimulatedDay, candidates: &Candidates, seeds: u64) -> Result<String, Failure> {
    let scenario = usual.scenario(ask)?;
    let (measured, warmup) = usual.times(ask);
    let settings = candidates.tried.len();
    let mut text = format!("# {}\n", ask.in_words());
    text += &format!(
        "# a perfect cache reads {} times a second; the origin does {}{}\n",
        tidy(ask.floor),
        tidy(ask.capacity),
        if ask.least > ask.capacity { ": not enough" } else { "" }
    );
    text += &format!("# goal: {}\n", ask.goal(DayChange::None, usual.capacity)?.text);
    text += &format!(
        "# {settings} settings × {seeds} seeds of {} after {} of warm-up{}:\n",
        duration_text(measured),
        duration_text(warmup),
        if usual.reduced { " (one setting a preset)" } else { "" }
    );
    text += &usual.scale.in_words(ask).map_or_else(String::new, |words| format!("# {words}\n"));
    for candidate in &candidates.tried {
        text += &format!("#   {} = {}\n", candidate.spec.name(), candidate.spec.canonical());
    }
    for left_out in &candidates.left_out {
        text += &format!("# not tried: {left_out}\n");
    }
    let days: Vec<String> = DayChange::days(ask).into_iter().map(|change| usual.with(change).in_words()).collect();
    text += &format!("# then the best two with {}; nothing was run\n\n", days.join(", "));
    Ok(text + &scenario.to_toml())
}

/// The answer.
#[must_use]
pub fn answer(ask: &Question, advice: &Advice, folder: &Path) -> String {
    let mut text = impossible(ask, advice);
    text += &chosen(ask, advice);
    if !advice.chosen.known {
        return text + &ranking(ask, advice) + &places(ask, advice, folder);
    }
    text += &costs(advice);
    text += &advice.lock.iter().map(|lock| format!("lock     {lock}\n")).collect::<String>();
    text += &ranking(ask, advice);
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
    text + &places(ask, advice, folder)
}

/// What no strategy can do, and what would: before anything else. Nothing where it can be done.
fn impossible(ask: &Question, advice: &Advice) -> String {
    let capacity = &advice.capacity;
    let (given, floor, would) = (tidy(ask.capacity), tidy(capacity.floor_per_s), tidy(capacity.simulated_per_s));
    if advice.goal_met && capacity.enough {
        return String::new();
    }
    let mut text = if ask.least > ask.capacity {
        let least = tidy(ask.least);
        let late = if ask.max_stale.is_zero() { "" } else { " and as late as it may" };
        format!(
            "NO STRATEGY CAN DO THIS. Your origin does {given} reads/s; even a perfect cache, which reads a key once for everybody{late},\n\
             needs {least} in the mean.\n"
        )
    } else if advice.goal_met {
        format!(
            "NOTHING THAT WAS TRIED CAN DO THIS. Your origin does {given} reads/s; {floor} are needed in the mean, and in its highest second\n\
             every setting that was simulated to its end needs more than chance alone brings to an origin that is just fully used.\n"
        )
    } else if !advice.chosen.known {
        "NOT KNOWN. No setting could be simulated to its end within the budget of an answer; what follows says nothing about them.\n\
         Divide --rate, --origin-capacity and the number of keys by the same number, or use `loadgen sweep`, which may take its time.\n"
            .to_owned()
    } else {
        format!(
            "NO SETTING THAT WAS SIMULATED TO ITS END MEETS THE GOAL, with the origin as it is or with the larger ones that were tried. What\n\
             follows is the nearest miss, which misses it by {}.\n",
            advice.chosen.misses.join(", ")
        )
    };
    let strategy = quoted(&advice.chosen.strategy);
    if capacity.simulated_per_s > ask.capacity {
        text += &format!(
            "would do  an origin of {would} reads/s, with --strategy {strategy} (at most {} in a second); what follows is for it\n",
            peak(&advice.chosen)
        );
        if let Some(longer) = &capacity.longer_ttl {
            text += &format!(
                "       or a TTL of {}s with the origin as it is, once the cache is warm (arithmetic, not simulated: {} reads/s in the\n          \
                 mean, and as many as it can in the highest second; an empty cache needs more)\n",
                longer.ttl_s,
                tidy(longer.floor_per_s)
            );
        }
    }
    text += &match &capacity.as_it_is {
        Some(nearest) => format!(
            "as it is  --strategy {} comes nearest: {}\n",
            quoted(&nearest.strategy),
            nearest.misses.join(", ")
        ),
        None if ask.least > ask.capacity => {
            "as it is  more reads are asked for than it does, whatever the strategy: send less until one of these is done\n".into()
        }
        None => String::new(),
    };
    text + "\n"
}

fn chosen(ask: &Question, advice: &Advice) -> String {
    let (chosen, n, capacity) = (&advice.chosen, advice.simulated.seeds.len(), &advice.capacity);
    let alike = advice.ranking.iter().filter(|s| s.meets_goal && s.as_good_as_best).count();
    let better = advice.ranking.first().filter(|best| best.strategy != chosen.strategy);
    let why = if advice.goal_met {
        as_good(alike, better.map(|best| best.strategy.as_str()), n)
    } else {
        format!("the nearest miss: {}", chosen.misses.join(", "))
    };
    let why = match (&advice.instead, advice.comes_back) {
        (Some(instead), _) => instead.clone(),
        (None, Some(false)) => {
            format!(
                "{why}\nBUT      NOTHING THAT WAS TRIED COMES BACK BY ITSELF when the cache was emptied or lost: see the other days"
            )
        }
        (None, None) if advice.goal_met => {
            format!(
                "{why}\nBUT      whether it comes back by itself when the cache was emptied or lost is not known: see the other days"
            )
        }
        _ => why,
    };
    let larger = if capacity.simulated_per_s > ask.capacity {
        format!(", once the origin does {} reads/s", tidy(capacity.simulated_per_s))
    } else {
        String::new()
    };
    let means: String = LAYERS
        .iter()
        .filter(|layer| advice.layers.contains(&layer.name))
        .map(|layer| format!("         {}: {}\n", layer.name, layer.summary))
        .collect();
    let composition =
        if chosen.strategy == chosen.composition { String::new() } else { format!("   (= {})", chosen.composition) };
    let advised = if chosen.known {
        format!("--strategy {}{larger}{composition}\n{means}", quoted(&chosen.strategy))
    } else {
        "none: not known\n".to_owned()
    };
    let mut text = format!(
        "ADVICE   {advised}asked    {}\norigin   a perfect cache would read {} times a second; yours does {}\n",
        ask.in_words(),
        tidy(capacity.floor_per_s),
        tidy(ask.capacity)
    );
    text += &capacity.rounded.iter().map(|rounded| format!("         {rounded}\n")).collect::<String>();
    if chosen.known {
        text += &format!("why      {why}\n{}", elsewhere(advice));
    }
    text += &format!("goal     {}\n", advice.goal);
    text + &advice.simulated.sample.iter().map(|sample| format!("scale    {}\n", sample.words)).collect::<String>()
}

/// What else is as good as what is advised: so many settings, itself among them, the best of them if that is another one. With fewer than
/// all seeds nothing is told apart, and so none is.
fn as_good(alike: usize, better: Option<&str>, seeds: usize) -> String {
    match (alike, better) {
        (0, _) => format!(
            "the simplest of what met the goal; the budget of an answer was used up before any of it had run with all {seeds} seeds"
        ),
        (1, _) => format!("it meets the goal best, and over {seeds} seeds no other setting comes near it"),
        (2, None) => "it meets the goal best; one more is as good, and not simpler".to_owned(),
        (alike, None) => format!("it meets the goal best; {} more are as good, and none is simpler", alike - 1),
        (alike, Some(best)) => {
            format!(
                "{alike} settings are as good (within a tenth of the best, {best}), and this is the simplest of them"
            )
        }
    }
}

/// The other days on which it is not enough: to be known before anything is deployed.
fn elsewhere(advice: &Advice) -> String {
    let fails = |limit: &&Limit| matches!(limit.verdict, DayVerdict::Switch | DayVerdict::Neither);
    let days: Vec<&str> = advice.limits.iter().filter(fails).map(|limit| limit.what.as_str()).collect();
    if days.is_empty() || !advice.goal_met {
        return String::new();
    }
    format!("BUT      it misses the goal on other days ({}): see them below\n", days.join("; "))
}

/// What the chosen setting costs.
fn costs(advice: &Advice) -> String {
    let (chosen, capacity) = (&advice.chosen, advice.capacity.does_per_s);
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
fn ranking(ask: &Question, advice: &Advice) -> String {
    let mut shown: Vec<&Setting> = vec![&advice.chosen];
    let whole = if advice.simulated.sample.is_some() { ", as read back" } else { "" };
    // What was run with all seeds first: with one a condition may hold by luck.
    let full = |setting: &&Setting| setting.runs as usize >= advice.simulated.seeds.len();
    let (all, few): (Vec<&Setting>, Vec<&Setting>) = advice.ranking.iter().partition(full);
    for setting in all.into_iter().chain(few) {
        if !shown.iter().any(|s| s.family == setting.family) {
            shown.push(setting);
        }
    }
    shown[1..].sort_by_key(|setting| (!setting.known, !setting.meets_goal));
    let head = ["", "strategy", "reads/s", "peak", "p99 ms", "at once", "stale", "ops/req", "parts", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().enumerate().map(|(at, setting)| {
        let mark = match (at, setting.meets_goal, setting.as_good_as_best) {
            _ if !setting.known => "?",
            (0, ..) => "→",
            (_, true, true) => "~",
            (_, true, false) => "",
            (_, false, _) => "✗",
        };
        let [per_second, p99, at_once, stale, ops] =
            ["origin.per_second", "latency_ms.p99", "hit_ratio", "stale.share", "cache_ops_per_request"]
                .map(|metric| figure(setting, metric));
        let misses = setting.misses.join(", ");
        let seen = |text: String| if setting.known { text } else { "–".to_owned() };
        let cells = [per_second, peak(setting), p99, at_once, stale, ops].map(seen);
        let cells = [mark.to_owned(), setting.strategy.clone()].into_iter().chain(cells);
        cells.chain([setting.parts.to_string(), misses]).collect()
    }));
    let simulated = &advice.simulated;
    let reduced = match (ask.quick, simulated.reduced) {
        (true, _) => "; only one setting of each preset was tried (--quick)",
        (_, true) => "; there is much to simulate, so only one setting of each preset was tried",
        _ => "",
    };
    let left_out: String = advice.left_out.iter().map(|text| format!("not tried: {text}\n")).collect();
    format!(
        "\n{}  → advised   ~ as good   ✗ misses the goal   ? not known   peak: the most origin reads in any second, of all \
         seeds\n  at once: answered without waiting for the origin. The best of each preset, of {} settings with seeds {} of {} s each{whole}{reduced}.\n{left_out}",
        table(&rows, 1, |column| column > 1 && column < 9),
        simulated.settings,
        seeds(&simulated.seeds),
        simulated.measured_s
    )
}

fn seeds(seeds: &[u64]) -> String {
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// Where it lies, and how a line is run again.
fn places(ask: &Question, advice: &Advice, folder: &Path) -> String {
    let path = folder.display().to_string();
    let file = format!("{path}/{}", advice.simulated.scenario);
    let whole = advice.simulated.sample.as_ref().and_then(|sample| sample.whole);
    let whole = whole.map_or_else(String::new, |whole| {
        format!("whole    {path}/{whole}: the usual day as it was asked, to be run alone; it may take long\n")
    });
    let rows = Rows { file: &file, measured_s: 1.0, replicas: advice.asked.replicas, seed: advice.asked.seed };
    format!(
        "\nresults  {path}: advice.json (all settings), scenario.toml, a scenario for each other day\n{whole}\
         alone    {}\n         any line of the tables so, with --strategy and the file of the day ({})\n",
        rows.command(&advice.chosen.strategy),
        DayChange::days(ask).iter().map(|change| format!("{}.toml", change.name())).collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of 30 hours used up the budget before anything had run with its last seed, and the answer ended in a panic.
    #[test]
    fn where_nothing_was_told_apart_that_is_said() {
        for better in [None, Some("swr")] {
            let why = as_good(0, better, 3);
            assert!(why.ends_with("before any of it had run with all 3 seeds"), "{why}");
        }
        assert_eq!(as_good(3, None, 3), "it meets the goal best; 2 more are as good, and none is simpler");
        let why = as_good(3, Some("swr"), 3);
        assert_eq!(why, "3 settings are as good (within a tenth of the best, swr), and this is the simplest of them");
    }
}
