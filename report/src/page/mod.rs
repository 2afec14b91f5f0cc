//! `report.html`: one file, no request to anywhere, and a script that it can do without. What it says must be readable in ten
//! years.
//!
//! This file is the page's table of contents, in reading order: what was run and whether it may be believed; the verdict;
//! what reached the origin, from afar and from close by; what the clients got; what that cost; whether the generator itself
//! kept up; on what it ran. Charts take their colours from the style sheet (light, dark, print) and their data from the
//! records; `page.js` reads values out where the pointer or the arrow keys are, and hides strategies.

mod best;
mod counters;
mod differences;
pub(crate) mod head;
mod health;
mod heat;
pub(crate) mod html;
mod latency;
mod levels;
mod outcomes;
mod panels;
mod plot;
mod pool;
mod reads;
mod repeats;
mod server;
mod shards;
mod table;
mod tradeoff;
mod view;

use crate::record::Run;
use crate::text::escape;
use crate::text::phrases;
use crate::text::sentences::sentences;
use crate::text::summary::facts;
use crate::text::theory;
use html::*;
pub(crate) use view::DigestedRun;
use view::{View, letter};

/// The page of one run, or of several side by side.
pub(crate) fn page(digested: &[DigestedRun]) -> String {
    let view = &View::of(digested);
    let names: Vec<&str> = view.runs.iter().map(|run| run.run.as_str()).collect();
    let (mut page, mut body) = (Sheet::default(), Sheet::default());
    sections(&mut body, view);
    head::open(&mut page, view, &format!("Stampede lab: {}", names.join(" · ")));
    head::header(&mut page, view);
    contents(&mut page, &body);
    page.push_str(&body.html);
    head::close(&mut page);
    page.html
}

/// Everything under the header.
fn sections(out: &mut Sheet, view: &View<'_>) {
    verdict(out, view);
    if !view.rows.is_empty() {
        legend(out, view);
        // Where everything counts, nothing is read.
        let counts = view.rows.iter().all(|row| row.strategy.counters.is_some());
        counters::immortal(out, view);
        levels::levels(out, view);
        if !view.without_ledger() && !counts {
            reads::over_the_run(out, view);
            reads::close_up(out, view);
        }
        pool::pool(out, view);
        shards::shards(out, view);
        latency::over_the_run(out, view);
        heat::heat(out, view);
        latency::spectrum(out, view);
        if !counts {
            tradeoff::tradeoff(out, view);
            outcomes::outcomes(out, view);
            outcomes::waiters(out, view);
        }
        repeats::repeats(out, view);
        health::generator(out, view);
        health::containers(out, view);
    }
    environment(out, view);
}

/// The table, and what it shows in words.
fn verdict(out: &mut Sheet, view: &View<'_>) {
    out.section("verdict", "Verdict", "");
    let comparable =
        differences::differences(&view.runs).iter().all(|difference| difference.alike() || !difference.matters);
    out.push_str("<ul class=\"said\">\n");
    for (at, run) in view.runs.iter().enumerate() {
        let of = if view.several() { format!("{}: ", letter(at)) } else { String::new() };
        for sentence in sentences(run) {
            put!(out, "<li>{of}{}</li>\n", escaped(&sentence));
        }
    }
    out.push_str("</ul>\n");
    if view.rows.is_empty() {
        out.push_str("</section>\n");
        return;
    }
    table::table(out, view, comparable);
    let blocks = match view.blocks() {
        0 => String::new(),
        blocks => format!(
            "Figures are medians of {blocks} runs; the charts show the first. By how much strategies differ, and how sure that is, stands under Repeats. "
        ),
    };
    let rule = if comparable { best::RULE } else { "Nobody is marked best: the runs differ." };
    let faults = phrases::fault_legend(view.rows.iter().map(|row| row.strategy), view.blocks() > 0);
    let faults = faults.map_or_else(String::new, |legend| format!("{} ", escaped(&legend)));
    put!(out, "<p class=\"how\">{faults}{blocks}{rule}</p>\n</section>\n");
}

/// The strategies and their colours; the script makes a button of each, which hides it everywhere.
fn legend(out: &mut Sheet, view: &View<'_>) {
    out.push_str("<div class=\"legend\" role=\"group\" aria-label=\"Strategies shown\">\n");
    for (at, row) in view.rows.iter().enumerate() {
        put!(
            out,
            "<span class=\"{}\" data-hides=\"{at}\"><i class=\"key\"></i>{}</span>\n",
            row.class(at),
            escaped(&row.name)
        );
    }
    out.push_str("</div>\n");
}

/// Links to the sections that this page has.
fn contents(out: &mut Sheet, body: &Sheet) {
    out.push_str("<nav aria-label=\"On this page\">");
    for (id, heading) in &body.sections {
        put!(out, "<a href=\"#{id}\">{heading}</a>");
    }
    out.push_str("</nav>\n");
}

/// Everything that is known of where it ran.
fn environment(out: &mut Sheet, view: &View<'_>) {
    out.section("environment", "Environment", "");
    for (at, run) in view.runs.iter().enumerate() {
        if view.several() {
            put!(out, "<h3>{}: {}</h3>\n", letter(at), escaped(&run.run));
        }
        facts_of(out, run);
    }
    out.push_str("</section>\n");
}

fn facts_of(out: &mut Sheet, run: &Run) {
    out.push_str("<table class=\"facts\">\n<caption class=\"unseen\">What it ran on</caption>\n<tbody>\n");
    for (what, value) in facts(run) {
        put!(out, "<tr><th scope=\"row\">{what}</th><td>{}</td></tr>\n", escaped(&value));
    }
    for strategy in &run.strategies {
        let name = escaped(&escape::line(&strategy.name));
        for sentence in theory::said(strategy) {
            let sentence = escaped(&escape::line(&sentence));
            put!(out, "<tr><th scope=\"row\">theory of {name}</th><td>{sentence}</td></tr>\n");
        }
    }
    out.push_str("</tbody>\n</table>\n");
}
