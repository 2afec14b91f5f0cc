//! What a sweep says: before it runs what it will, and afterwards what came out.

use std::path::Path;
use std::time::Duration;

use report::sweep::{Point, Ranked, Spread, Sweep, figure_text, is_yes_or_no};

use super::grid::Grid;
use super::knob::Turns;
use super::runner::threads;
use crate::cli::RunArgs;
use crate::shell::command_line::quoted;
use crate::shell::table::table;

/// Rows of a ranking, and of a list of settings.
const RANKS_SHOWN: usize = 10;
const POINTS_SHOWN: usize = 20;

/// What will be run, and how often.
#[must_use]
pub fn announce(grid: &Grid) -> String {
    let mut text = format!("{}: {}\n", grid.base.scenario.name, grid.base.scenario.summary);
    for knob in &grid.knobs {
        let (first, last) = (knob.values.first(), knob.values.last());
        let ends = first.zip(last).map_or_else(String::new, |(first, last)| format!("{} … {}", first.text, last.text));
        let whose = match knob.turns {
            Turns::Scenario => "the scenario's, for all strategies".to_owned(),
            Turns::Layer { layer, param } => format!("`{param}` of each strategy's layer {layer}"),
            Turns::Strategy { param } => format!("`{param}` of the layer that has it"),
        };
        text += &format!("knob     {}: {} values, {ends}; {whose}\n", knob.name, knob.values.len());
    }
    let names: Vec<&str> = grid.base.subjects.iter().map(|subject| subject.name.as_str()).collect();
    text += &format!("for      {}\n", names.join(", "));
    if !grid.left_out.is_empty() {
        text += &format!("not for  {}, for want of such a layer\n", grid.left_out.join(", "));
    }
    let (runs, all, own, seeds) = (grid.runs(), grid.points.len(), grid.own().len(), grid.seeds.len());
    let settings = if own == all { format!("{all} settings") } else { format!("{own} of {all} settings") };
    let seeds = if seeds == 1 { "1 seed".to_owned() } else { format!("{seeds} seeds") };
    text + &format!("{runs} runs: {settings} × {seeds}, on {} threads\n", threads(grid))
}

/// What came out.
#[must_use]
pub fn outcome(sweep: &Sweep, args: Option<&RunArgs>) -> String {
    let mut text = String::new();
    let (done, all) =
        (sweep.points.iter().map(|p| p.runs as usize).sum::<usize>(), sweep.points.len() * sweep.seeds.len());
    let never = sweep.points.iter().filter(|point| point.runs == 0).count();
    if let Some(part) = &sweep.part {
        let none = if part.index as usize >= sweep.points.len() { ": there are more parts than settings" } else { "" };
        text += &format!(
            "Part {} of {}, counted from 0: {} of {} settings{none}, and no charts: only the whole says what it comes to.\n\n",
            part.index,
            part.of,
            sweep.points.len() - never,
            sweep.points.len()
        );
    }
    if !sweep.complete {
        let never = if never == 0 || sweep.part.is_some() {
            String::new()
        } else {
            format!(" ({never} settings were never run)")
        };
        text += &format!("INCOMPLETE: {done} of {all} runs were finished{never}; what follows is of these.\n\n");
    }
    let invalid = sweep.points.iter().filter(|point| !point.valid && point.runs > 0);
    for point in invalid.clone().take(5) {
        let reasons = point.invalid_because.join("; ");
        text += &format!("INVALID: {} {}: {reasons}\n", point.name, values_of(sweep, point));
    }
    if let Some(more @ 1..) = invalid.count().checked_sub(5) {
        text += &format!("INVALID: {more} more settings; sweep.json says why\n");
    }
    match &sweep.goal {
        _ if sweep.part.is_some() => text,
        None => text + &list(sweep),
        Some(_) => text + &ranking(sweep, args),
    }
}

/// What makes the whole of a part and those that lie beside it.
#[must_use]
pub fn merges(part: &Path, scenario: &str, of: u32) -> String {
    let beside = part.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = quoted(&beside.display().to_string());
    // A run's name ends with four digits, by which no other scenario's is meant.
    let folders = format!("{}/*-sweep-{scenario}-????-part-*-of-{of}", beside.trim_end_matches('/'));
    format!("once all {of} are there: loadgen merge {folders}")
}

/// The first settings with their figures, where nothing is looked for.
fn list(sweep: &Sweep) -> String {
    let points: Vec<&Point> = sweep.points.iter().filter(|point| point.valid).collect();
    let shown = &points[..points.len().min(POINTS_SHOWN)];
    let mut rows = vec![head(sweep)];
    rows.extend(shown.iter().map(|point| row(sweep, point)));
    let mut text = table(&rows, 1, |column| column >= 1);
    if let Some(more @ 1..) = points.len().checked_sub(shown.len()) {
        text += &format!("  … and {more} more settings in sweep.csv and sweep.json; --goal ranks them\n");
    }
    text
}

fn ranking(sweep: &Sweep, args: Option<&RunArgs>) -> String {
    let Some(goal) = &sweep.goal else { return String::new() };
    let meeting: Vec<&Ranked> = sweep.ranking.iter().filter(|ranked| ranked.meets).collect();
    let mut text = format!("goal     {}\n", goal.text);
    let Some(best) = sweep.ranking.first() else {
        return text + "No setting has valid numbers, so nothing can be ranked.\n";
    };
    let (of, metric) = (sweep.settings_run(), &goal.metric);
    if meeting.is_empty() {
        text += &if goal.conditions.is_empty() {
            format!("OF NO SETTING IS IT KNOWN, of {of}:\n\n")
        } else {
            format!("NO SETTING MEETS IT, of {of}. The nearest miss:\n\n")
        };
        let nearest: Vec<&Ranked> = sweep.ranking.iter().take(3).collect();
        text += &figures_table(sweep, &nearest);
        if !goal.conditions.is_empty() {
            let known = figure_of(sweep, best, metric).is_some();
            let missed = if known { misses(sweep, best) } else { format!("its {metric} is not known") };
            text += &format!("\nThe first of them misses: {missed}.\n");
        }
        return text + &again(sweep, &sweep.points[best.point], args);
    }
    // Without a condition there is nothing that a setting could meet.
    text += &match (goal.conditions.is_empty(), meeting.len()) {
        (false, met) => format!("{met} of {of} settings meet it."),
        (true, known) if known < of => {
            format!("{known} of {of} settings, the best first; of the others it is not known.")
        }
        (true, _) => format!("{of} settings, the best first."),
    };
    if let (equal @ 2.., Some(best)) = (sweep.equally_best(), figure_of(sweep, best, metric)) {
        text += &format!(" {equal} are equally best, at {}: in the grid's order.", figure_text(metric, best.mean));
    }
    text += "\n\n";
    let shown = &meeting[..meeting.len().min(RANKS_SHOWN)];
    text += &figures_table(sweep, shown);
    if let Some(more @ 1..) = meeting.len().checked_sub(shown.len()) {
        text += &format!("  … and {more} more in sweep.json\n");
    }
    text + &told_apart(sweep, &meeting, metric) + &again(sweep, &sweep.points[best.point], args)
}

/// How many settings are as good as the first, and by which rule.
fn told_apart(sweep: &Sweep, meeting: &[&Ranked], metric: &str) -> String {
    let alike = meeting.iter().filter(|ranked| ranked.as_good_as_best).count();
    let (fewest, seeds) = sweep.seeds_run();
    match (fewest, alike) {
        (0 | 1, _) => {
            "\nOne seed: how far chance alone moves a figure is not known. Raise --seeds before you believe an order.\n"
                .into()
        }
        (_, 0 | 1) if is_yes_or_no(metric) => "\nNo other setting's share comes near the first one's.\n".into(),
        (_, 0 | 1) => "\nNo other setting's range over the seeds overlaps the first one's.\n".into(),
        (_, alike) => {
            let others = if alike == 2 { "1 setting is".to_owned() } else { format!("{} settings are", alike - 1) };
            let because = match metric {
                _ if is_yes_or_no(metric) => "their shares are less than two standard errors apart",
                _ if metric.contains("_ms.") => "their ranges overlap, or less than 1 ms lies between their means",
                _ => "their ranges overlap",
            };
            format!("\n~ {others} not told apart from the first: over {seeds} seeds {because}.\n")
        }
    }
}

fn figure_of(sweep: &Sweep, ranked: &Ranked, metric: &str) -> Option<Spread> {
    sweep.points[ranked.point].figures.get(metric).copied().flatten()
}

fn misses(sweep: &Sweep, ranked: &Ranked) -> String {
    let Some(goal) = &sweep.goal else { return String::new() };
    let said = ranked.misses.iter().filter_map(|miss| {
        let condition = goal.conditions.get(miss.condition)?;
        let worst = miss.worst.map_or_else(|| "unknown".to_owned(), |worst| figure_text(&condition.metric, worst));
        let unit = if condition.metric.contains("_ms") && miss.worst.is_some() { " ms" } else { "" };
        let of_limit = miss.by.filter(|_| condition.limit > 0.0);
        let by = of_limit.map_or_else(String::new, |by| format!(", by {:.0}% of the limit", by * 100.0));
        Some(format!("{} (worst seed {worst}{unit}{by})", condition.text))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Settings by their ranks; `~` marks what is not told apart from the first.
fn figures_table(sweep: &Sweep, ranking: &[&Ranked]) -> String {
    let ranked = |cell: String, mut row: Vec<String>| {
        row.insert(0, cell);
        row
    };
    let mut rows = vec![ranked(String::new(), head(sweep))];
    rows.extend((1..).zip(ranking).map(|(rank, point)| {
        let mark = if rank > 1 && point.as_good_as_best && sweep.seeds_run().0 > 1 { "~ " } else { "" };
        ranked(format!("{mark}{rank}"), row(sweep, &sweep.points[point.point]))
    }));
    table(&rows, 1, |column| column != 1)
}

fn head(sweep: &Sweep) -> Vec<String> {
    let names = sweep.knobs.iter().map(|knob| &knob.name).chain(&sweep.charted).cloned();
    ["strategy".to_owned()].into_iter().chain(names).collect()
}

/// A point's settings, then the figures that matter: means, and in brackets the range over the seeds.
fn row(sweep: &Sweep, point: &Point) -> Vec<String> {
    let figure = |metric: &String| {
        let Some(spread) = point.figures.get(metric).copied().flatten() else { return "unknown".to_owned() };
        let [mean, min, max] = [spread.mean, spread.min, spread.max].map(|value| figure_text(metric, value));
        if min == max { mean } else { format!("{mean} ({min} … {max})") }
    };
    let settings = [&point.strategy].into_iter().chain(&point.values).cloned();
    settings.chain(sweep.charted.iter().map(figure)).collect()
}

fn values_of(sweep: &Sweep, point: &Point) -> String {
    let pairs = sweep.knobs.iter().zip(&point.values).map(|(knob, value)| format!("{}={value}", knob.name));
    pairs.collect::<Vec<_>>().join(" ")
}

/// The command that runs a point alone, with its charts.
fn again(sweep: &Sweep, point: &Point, args: Option<&RunArgs>) -> String {
    let Some(args) = args else { return String::new() };
    let mut words = vec!["loadgen".to_owned(), "--lab".into(), "sim".into()];
    let mut flag = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            words.extend([name.to_owned(), quoted(value)]);
        }
    };
    flag("--scenario", args.scenario.as_deref());
    flag("--strategy", Some(&point.name));
    flag("-d", args.duration.as_deref());
    flag("-w", args.warmup.as_deref());
    flag("-c", args.clients.as_deref());
    flag("-r", args.rate.as_deref());
    let arrivals = args.arrival.map(|arrival| format!("{arrival:?}").to_lowercase());
    flag("--arrival", arrivals.as_deref());
    let replicas = args.replicas.map(|replicas| replicas.to_string());
    flag("--replicas", replicas.as_deref());
    let seed = (args.seed != 42).then(|| args.seed.to_string());
    flag("--seed", seed.as_deref());
    for set in &args.set {
        flag("--set", Some(set));
    }
    let scenario = scenarios::settable();
    for (knob, value) in sweep.knobs.iter().zip(&point.values).filter(|(knob, _)| scenario.contains(&knob.name)) {
        flag("--set", Some(&format!("{}={value}", knob.name)));
    }
    format!("alone    {}\n", words.join(" "))
}

/// How long it took.
#[must_use]
pub fn took(runs: usize, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    format!("{runs} runs in {seconds:.1} s, {:.1} a second\n", runs as f64 / seconds)
}
