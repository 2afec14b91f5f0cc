//! The head of the page: what was run, on what, valid or not, and the command that runs it again; of several runs also what
//! differs between them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::differences::{FactRow, differences};
use super::html::*;
use super::view::{View, letter};
use crate::record::{Run, Strategy};
use crate::text::phrases;
use crate::text::sentences::interruption;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// So many missing files are named.
const MISSING_NAMED: usize = 4;

/// From the doctype to the open `main`. The page may run its own script, which is named by its hash, and no other.
pub(super) fn open(out: &mut Sheet, view: &View<'_>, title: &str) {
    // What hides a strategy everywhere, row by row.
    let hidden: String = (0..view.rows.len())
        .map(|at| format!(".off-{at} [data-s=\"{at}\"],.off-{at} .s{at}{{display:none}}\n"))
        .collect();
    open_with(out, title, &hidden, SCRIPT, "verdict");
}

/// The same with another script, which is named by its hash, a style sheet's end, and where the page's content begins.
pub(crate) fn open_with(out: &mut Sheet, title: &str, style: &str, script: &str, first: &str) {
    let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
    put!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#{first}\">Skip to the {first}</a>\n<main>\n",
        escaped(title)
    );
}

/// The script, and the end.
pub(super) fn close(out: &mut Sheet) {
    close_with(out, SCRIPT);
}

/// The same with another script.
pub(crate) fn close_with(out: &mut Sheet, script: &str) {
    put!(out, "</main>\n<script>{script}</script>\n</body>\n</html>\n");
}

/// What was run, on what, valid or not.
pub(super) fn header(out: &mut Sheet, view: &View<'_>) {
    out.push_str("<header>\n<p class=\"eyebrow\">Stampede lab</p>\n");
    match view.runs.as_slice() {
        [run] => {
            put!(out, "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escaped(&run.scenario), escaped(&run.summary));
            view.typical.iter().for_each(|typical| state(out, typical, &view.missing(0), ""));
            facts(out, run);
        }
        runs => several(out, view, runs),
    }
    out.push_str("</header>\n");
}

/// Valid or not, before anything else is read.
fn state(out: &mut Sheet, run: &Run, missing: &[String], of: &str) {
    let alarm = |out: &mut Sheet, text: &str| put!(out, "<p class=\"alarm\" role=\"note\">{of}{}</p>\n", escaped(text));
    if !run.complete {
        alarm(out, &interruption(run));
    }
    let invalid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| !strategy.valid).collect();
    for strategy in &invalid {
        alarm(out, &format!("INVALID – do not use the numbers of {}: {}", strategy.name, phrases::reasons(strategy)));
    }
    let missed = run.verdicts.iter().filter(|verdict| !verdict.met).count();
    if missed > 0 {
        alarm(out, &format!("{missed} of {} thresholds missed; the verdict says which", run.verdicts.len()));
    }
    if !missing.is_empty() {
        let more = missing.len().saturating_sub(MISSING_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = missing[..missing.len().min(MISSING_NAMED)].join(", ");
        alarm(
            out,
            &format!(
                "RECORDS MISSING: {named}{more}. What would be drawn from that is left out; the table is run.json’s, and whole."
            ),
        );
    }
    if invalid.is_empty() {
        match run.strategies.len() {
            0 => alarm(out, "Nothing was run."),
            1 => put!(out, "<p class=\"good\">{of}<b>Valid</b>: every check of the run passed.</p>\n"),
            n => put!(out, "<p class=\"good\">{of}<b>Valid</b>: every check passed for all {n} strategies.</p>\n"),
        }
    }
    if run.lab == "sim" {
        put!(
            out,
            "<p class=\"note\">{of}<b>Simulated</b>: exact in what reaches the origin. A request takes what \
             it takes on an idle loopback, and what it waits: for the origin, a lock, a poll, a connection, a cache that is slow or busy. \
             Of the times only that means anything.</p>\n"
        );
    }
    if run.lab == "target" {
        put!(
            out,
            "<p class=\"note\">{of}<b>A foreign target</b>: what only its owner could know is a dash ({}), not a nought.</p>\n",
            phrases::UNKNOWN
        );
    }
}

fn facts(out: &mut Sheet, run: &Run) {
    let count = run.strategies.len();
    let strategies =
        if count == 1 { "1 strategy".to_owned() } else { format!("{count} strategies, one after the other") };
    let (measured, warmup) = (phrases::seconds(run.duration_s), phrases::seconds(run.warmup_s));
    let each = match run.blocks.len() {
        0 => "one run of each".to_owned(),
        blocks => format!("{blocks} runs of each in randomised blocks"),
    };
    let ran = format!("{strategies}, {measured} each after {warmup} of warm-up, {each}; {}", run.run);
    out.push_str("<dl class=\"what\">\n");
    for (what, said) in
        [("Run", ran), ("On", phrases::setting(run)), ("Load", phrases::load_caption(run)), ("Machine", machine(run))]
    {
        put!(out, "<div><dt>{what}</dt><dd>{}</dd></div>\n", escaped(&said));
    }
    put!(out, "<div><dt>Again</dt><dd><code>{}</code></dd></div>\n</dl>\n", escaped(&run.command));
}

/// The machine and what was built for it; a virtual one has no build.
fn machine(run: &Run) -> String {
    match run.environment.build.as_str() {
        "virtual" => phrases::machine(run),
        build => format!("{}, {build} build", phrases::machine(run)),
    }
}

/// Several runs: which they are, and what differs.
fn several(out: &mut Sheet, view: &View<'_>, runs: &[&Run]) {
    let mut scenarios: Vec<&str> = runs.iter().map(|run| run.scenario.as_str()).collect();
    scenarios.dedup();
    put!(out, "<h1>{}: {} runs side by side</h1>\n", escaped(&scenarios.join(", ")), runs.len());
    let differences = differences(runs);
    let (apart, alike): (Vec<&FactRow>, Vec<&FactRow>) = differences.iter().partition(|d| d.matters && !d.alike());
    if apart.is_empty() {
        out.push_str("<p class=\"good\"><b>Comparable</b>: the same plan, settings and kind of machine.</p>\n");
    } else {
        let names: Vec<&str> = apart.iter().map(|difference| difference.what).collect();
        put!(
            out,
            "<p class=\"alarm\" role=\"note\">NOT THE SAME: these runs differ in {}. What differs between their figures may come \
             from that, so nobody is marked best.</p>\n",
            escaped(&names.join(", "))
        );
    }
    for (at, run) in view.typical.iter().enumerate() {
        state(out, run, &view.missing(at), &format!("{}: ", letter(at)));
    }
    out.open_table("What differs", "facts");
    out.push_str("<caption class=\"unseen\">The runs, and what differs between them</caption>\n<thead><tr><td></td>");
    for at in 0..runs.len() {
        put!(out, "<th scope=\"col\">{}</th>", letter(at));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for difference in apart.iter().chain(alike.iter().filter(|difference| !difference.alike())) {
        let class = if difference.matters { " class=\"apart\"" } else { "" };
        put!(out, "<tr{class}><th scope=\"row\">{}</th>", escaped(difference.what));
        for value in &difference.values {
            put!(out, "<td>{}</td>", escaped(value));
        }
        out.push_str("</tr>\n");
    }
    out.close_table();
    out.push_str("<dl class=\"what\">\n");
    for (at, run) in view.runs.iter().enumerate() {
        let (setting, load) = (escaped(&phrases::setting(run)), escaped(&phrases::load_caption(run)));
        let (letter, command) = (letter(at), escaped(&run.command));
        put!(out, "<div><dt>{letter}</dt><dd>{setting}<br>{load}<br><code>{command}</code></dd></div>\n");
    }
    out.push_str("</dl>\n");
}
