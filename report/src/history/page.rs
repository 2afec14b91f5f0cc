//! The index page: courses, runs, and what cannot be read. One file without a request, as the page of a run is; what filters it is a
//! script that it can do without.

use super::change::{LastChange, last_change};
use super::course::{Course, History, HistoryRun, RunCircumstances, RunState};
use crate::compare::comparison_text::value;
use crate::compare::stats::median;
use crate::page::head::{close_with, open_with};
use crate::page::html::*;
use crate::record::Metric;

const SCRIPT: &str = include_str!("history.js");
const STYLE: &str = ".filter[hidden]{display:none}.filter input{font:inherit;padding:.3rem .6rem;width:min(100%,24rem);background:var(--paper);color:inherit;border:1px solid var(--faint);border-radius:4px}\n\
    .index td,.index th{text-align:left}.index td:not(.figure){white-space:normal;min-width:7rem}\n\
    .index svg.spark{position:static;display:block;margin:.2rem 0;width:9rem;height:2rem;overflow:visible}.spark polyline{fill:none;stroke:var(--c2);stroke-width:1.5;vector-effect:non-scaling-stroke}\n\
    .spark line{stroke:var(--fault);stroke-width:1.5;vector-effect:non-scaling-stroke}.spark path{stroke:var(--c2);stroke-width:5;stroke-linecap:round;vector-effect:non-scaling-stroke}\n\
    tr[hidden]{display:none}@media print{.filter{display:none}}\n";
/// So many of a course's newest points are drawn.
const DRAWN_MAX: usize = 200;

/// The page.
#[must_use]
pub fn history_page(history: &History, folder: &str) -> String {
    let mut page = Sheet::default();
    open_with(&mut page, &format!("Stampede lab: runs in {folder}"), STYLE, SCRIPT, "courses");
    let runs = history.runs.len();
    let unreadable = match history.unreadable.len() {
        0 => String::new(),
        unreadable => format!("; {unreadable} could not be read"),
    };
    let counted = history.runs.iter().filter(|run| run.state == RunState::Counts).count();
    put!(
        page,
        "<header>\n<p class=\"eyebrow\">Stampede lab</p>\n<h1>Runs in {}</h1>\n<p class=\"lead\">{runs} runs, {counted} of them valid and \
         whole{unreadable}.</p>\n<p class=\"filter\" hidden><label>Filter <input id=\"filter\" type=\"search\" \
         autocomplete=\"off\" placeholder=\"hotkey sim swr\"></label> <output id=\"shown\"></output></p>\n</header>\n",
        escaped(folder)
    );
    courses(&mut page, history);
    all_runs(&mut page, history);
    not_read(&mut page, history);
    close_with(&mut page, SCRIPT);
    page.html
}

fn courses(out: &mut Sheet, history: &History) {
    out.section(
        "courses",
        "Courses",
        "Each figure over runs of the same circumstances, oldest to newest, with its newest value and since when it is what it is. In \
         virtual time any difference is a change; of real runs at least 12 figures are needed, and a change is what the rank-sum test \
         tells apart by more than the noise, as `loadgen aa` measured it; else 2 % is assumed. Invalid and interrupted runs are left out.",
    );
    out.open_table("Courses", "index");
    out.push_str(
        "<thead><tr><th scope=\"col\">Scenario</th><th scope=\"col\">Strategy</th><th scope=\"col\">Runs</th>",
    );
    Metric::ALL.iter().for_each(|metric| put!(out, "<th scope=\"col\">{}</th>", metric.words()));
    out.push_str("</tr></thead>\n<tbody>\n");
    let mut all = history.courses();
    all.sort_by_cached_key(|course| (scenario_of(history, course), course.circumstances, course.strategy.clone()));
    all.iter().for_each(|course| row(out, history, course));
    out.close_table();
    out.push_str("</section>\n");
}

fn scenario_of(history: &History, course: &Course) -> (String, String) {
    let of = |name: &str| history.circumstances.get(course.circumstances).and_then(|all| all.get(name)).cloned();
    (of("scenario").unwrap_or_default(), of("lab").unwrap_or_default())
}

fn row(out: &mut Sheet, history: &History, course: &Course) {
    let (scenario, lab) = scenario_of(history, course);
    let apart = apart(history, course, &scenario, &lab);
    put!(
        out,
        "<tr data-words=\"{}\"><th scope=\"row\">{}<small>{} lab</small><small>{}</small></th><td>{}<small>{}</small></td><td>{}</td>",
        escaped(&format!("{scenario} {lab} {} {} {apart}", course.strategy, course.spec).to_lowercase()),
        escaped(&scenario),
        escaped(&lab),
        escaped(&apart),
        escaped(&course.strategy),
        if course.spec == course.strategy { String::new() } else { escaped(&course.spec) },
        course.points.len()
    );
    Metric::ALL.into_iter().for_each(|metric| figure(out, history, course, metric, lab == "sim"));
    out.push_str("</tr>\n");
}

/// What tells a course's circumstances from those of the same scenario and lab.
fn apart(history: &History, course: &Course, scenario: &str, lab: &str) -> String {
    let Some(own) = history.circumstances.get(course.circumstances) else { return String::new() };
    let same = |other: &&RunCircumstances| {
        other.get("scenario").is_some_and(|one| one == scenario) && other.get("lab").is_some_and(|one| one == lab)
    };
    let others: Vec<&RunCircumstances> = history.circumstances.iter().filter(same).collect();
    let differs = |name: &str| others.iter().any(|other| other.get(name) != own.get(name));
    let told = own.iter().filter(|(name, _)| differs(name)).map(|(name, value)| format!("{name} {value}"));
    told.take(6).collect::<Vec<_>>().join(", ")
}

fn figure(out: &mut Sheet, history: &History, course: &Course, metric: Metric, exact: bool) {
    let points: Vec<&[f64]> = course.points.iter().map(|point| point.of_metric(metric)).collect();
    let Some(newest) = points.last().and_then(|point| median(point)) else {
        out.push_str("<td class=\"figure\">–<small>not known</small></td>");
        return;
    };
    let (noise, measured) = history.noise(course, metric);
    let change = last_change(&points, exact, metric.unit(), noise);
    let at = match change {
        LastChange::Since { at, .. } => Some(at),
        _ => None,
    };
    let said = match &change {
        LastChange::Since { at, from, to } => {
            let run = course.points.get(*at).and_then(|point| history.runs.get(point.run));
            format!("{} → {} since {}", value(metric, *from), value(metric, *to), run.map_or("", |run| day(run)))
        }
        LastChange::NotSeen if measured && !exact => format!("no change seen, noise {:.1} %", noise * 100.0),
        LastChange::NotSeen => "no change seen".to_owned(),
        LastChange::TooFew => "too few runs to say".to_owned(),
    };
    put!(out, "<td class=\"figure\">{}", value(metric, newest));
    sparkline(out, &points, at, &format!("{} of {}: {said}", metric.words(), course.strategy));
    put!(out, "<small>{}</small></td>", escaped(&said));
}

/// When a run began, to the minute.
fn day(run: &HistoryRun) -> &str {
    run.started_at.get(..16).unwrap_or(&run.started_at)
}

/// A line from the oldest drawn point to the newest, from nought up, with the change marked. What is not known breaks no line: it is left out.
fn sparkline(out: &mut Sheet, points: &[&[f64]], change: Option<usize>, said: &str) {
    let begin = points.len().saturating_sub(DRAWN_MAX);
    let drawn: Vec<(usize, f64)> =
        points.iter().enumerate().skip(begin).filter_map(|(at, point)| Some((at, median(point)?))).collect();
    let top = drawn.iter().map(|(_, value)| *value).fold(0.0_f64, f64::max);
    let x = |at: usize| (at - begin) as f64 / (points.len() - begin).saturating_sub(1).max(1) as f64 * 100.0;
    let y = |value: f64| if top > 0.0 { 20.0 - value / top * 20.0 } else { 20.0 };
    put!(
        out,
        "<svg class=\"spark\" viewBox=\"0 0 100 20\" preserveAspectRatio=\"none\" role=\"img\"><title>{}</title><desc>{} runs, scaled from 0</desc>",
        escaped(said),
        drawn.len()
    );
    if let Some(at) = change.filter(|at| *at >= begin) {
        put!(out, "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"0\" y2=\"20\"/>", x(at));
    }
    let line: Vec<String> = drawn.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
    put!(out, "<polyline points=\"{}\"/>", line.join(" "));
    if let Some((at, value)) = drawn.last() {
        put!(out, "<path d=\"M{:.1} {:.1}h0\"/>", x(*at), y(*value));
    }
    out.push_str("</svg>");
}

fn all_runs(out: &mut Sheet, history: &History) {
    out.section("runs", "Runs", "Newest first.");
    out.open_table("Runs", "index");
    out.push_str(
        "<thead><tr><th scope=\"col\">Began</th><th scope=\"col\">Scenario</th><th scope=\"col\">Lab</th><th scope=\"col\">Strategies</th>\
         <th scope=\"col\">State</th><th scope=\"col\">Folder</th></tr></thead>\n<tbody>\n",
    );
    let mut runs: Vec<&HistoryRun> = history.runs.iter().collect();
    runs.sort_by(|a, b| (&b.started_at, &b.folder).cmp(&(&a.started_at, &a.folder)));
    for run in runs {
        let (state, why) = match &run.state {
            RunState::Counts => ("valid".to_owned(), String::new()),
            RunState::Invalid(why) => ("<strong class=\"bad\">INVALID</strong>".to_owned(), why.clone()),
            RunState::Interrupted(why) => ("<strong class=\"bad\">interrupted</strong>".to_owned(), why.clone()),
        };
        let strategies = run.strategies.join(", ");
        let words = format!("{} {} {strategies} {state} {} {why}", run.scenario, run.lab, run.folder).to_lowercase();
        put!(
            out,
            "<tr data-words=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{state}<small>{}</small></td>\
             <td><a href=\"{}/report.html\">{}</a></td></tr>\n",
            escaped(&words),
            escaped(day(run)),
            escaped(&run.scenario),
            escaped(&run.lab),
            escaped(&strategies),
            escaped(&why),
            address(&run.folder),
            escaped(&run.folder)
        );
    }
    out.close_table();
    out.push_str("</section>\n");
}

/// A folder's name as a relative address: everything but plain characters as `%xx`.
fn address(folder: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let encoded =
        folder.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") });
    format!("./{}", encoded.collect::<String>())
}

fn not_read(out: &mut Sheet, history: &History) {
    if history.unreadable.is_empty() {
        return;
    }
    out.section("unreadable", "Not read", "");
    out.open_table("Not read", "index");
    out.push_str("<thead><tr><th scope=\"col\">Folder</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n");
    for (folder, why) in &history.unreadable {
        let words = escaped(&format!("{folder} {why}").to_lowercase());
        put!(out, "<tr data-words=\"{words}\"><td>{}</td><td>{}</td></tr>\n", escaped(folder), escaped(why));
    }
    out.close_table();
    out.push_str("</section>\n");
}
