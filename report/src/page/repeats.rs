//! Repeats: every run of every strategy as a dot, what the blocks tell apart, and how sure that is.

use super::html::*;
use super::plot::{Named, Plot};
use super::view::View;
use crate::compare::comparison_text;
use crate::compare::stats::Call;
use crate::draw::{AxisScale, ends};
use crate::record::{Comparison, Metric};
use crate::text::phrases::UNKNOWN;

/// Height of a strategy's row, and of its dots, pixels.
const ROW_PX: u32 = 36;
const DOT_PX: f64 = 9.0;

/// The section, where any strategy ran more than once.
pub(super) fn repeats(out: &mut Sheet, view: &View<'_>) {
    if view.blocks() == 0 {
        return;
    }
    let how = "A dot is one run, the stroke their median. The bar is the 95 % interval of the ratio to the first strategy, block by \
               block, times that one’s median: where it misses the first one’s stroke by more than the noise, the blocks tell the two apart.";
    out.section("repeats", "Repeats", how);
    out.push_str("<div class=\"panels\">\n");
    for metric in Metric::ALL {
        dots(out, view, metric);
    }
    out.push_str("</div>\n");
    for run in &view.runs {
        table(out, &run.comparisons);
    }
    out.push_str("</section>\n");
}

/// One metric: a row a strategy.
fn dots(out: &mut Sheet, view: &View<'_>, metric: Metric) {
    let runs: Vec<Vec<f64>> = view
        .rows
        .iter()
        .map(|row| row.first.runs().filter(|run| run.valid).filter_map(|run| metric.of(run)).collect())
        .collect();
    let all = || runs.iter().flatten().copied().filter(|value| value.is_finite());
    let Some((low, high)) = ends(all()).filter(|ends| *ends != (0.0, 0.0)) else { return };
    // From nought where that wastes no room, by factors where the values are far apart.
    let by_factors = low > 0.0 && high / low > 8.0;
    let x = if by_factors { AxisScale::Log(low / 1.3, high * 1.3) } else { AxisScale::Linear(0.0, high * 1.1) };
    let count = view.rows.len() as f64;
    let mut plot = Plot::new(x, AxisScale::Linear(0.0, count), ROW_PX * view.rows.len() as u32)
        .x_ticks(x.ticks(6))
        .y_ticks(vec![]);
    let mut named = Vec::new();
    let mut said = Vec::new();
    for (at, (row, runs)) in view.rows.iter().zip(&runs).enumerate() {
        let (class, y) = (row.class(at), count - at as f64 - 0.5);
        let own = |one: &&Comparison| one.metric == metric && one.strategy == row.first.name;
        let comparison = row.run.comparisons.iter().find(own);
        if let Some((one, (low, high))) = comparison.and_then(|one| Some((one, one.interval?))) {
            plot.level(&format!("interval s{at} {class}"), (one.from * low, one.from * high), y);
        }
        for value in runs {
            plot.dot(&format!("{class} hollow"), &format!("data-s=\"{at}\""), (*value, y), DOT_PX);
        }
        let middle = metric.of(row.strategy);
        if let Some(middle) = middle {
            plot.tick(&format!("median s{at} {class}"), middle, (y - 0.35, y + 0.35));
        }
        let median = middle.map_or_else(|| UNKNOWN.to_owned(), |middle| comparison_text::value(metric, middle));
        let verdict = comparison.map_or_else(String::new, |one| format!(", {}", comparison_text::verdict_of(one)));
        said.push(format!("{}: median {median} of {} runs{verdict}", row.name, runs.len()));
        let html = format!("{} <small>{median}{verdict}</small>", with_ends(&row.name));
        named.push(Named { class, row: at, values: String::new(), html, at: (plot.end(), y) });
    }
    plot.names(&named, f64::from(ROW_PX));
    let title = format!("{} of each run, one row a strategy", metric.words());
    put!(out, "<figure class=\"panel\">\n<figcaption><b>{}</b></figcaption>\n", metric.words());
    plot.html(out, &format!("repeats-{}", metric.path().replace('.', "-")), &title, &said.join(". "));
    out.push_str("</figure>\n");
}

/// What the blocks say of each strategy against the first.
fn table(out: &mut Sheet, comparisons: &[Comparison]) {
    let Some(first) = comparisons.first() else { return };
    out.open_table("What the blocks tell apart", "compared");
    put!(
        out,
        "<caption>Against {}, by {} blocks</caption>\n<thead>\n<tr>",
        escaped(&first.against),
        comparisons.iter().map(|one| one.runs).max().unwrap_or(0)
    );
    for head in ["Strategy", "metric", "from", "to", "ratio", "95 % interval", "p (Holm)", "verdict"] {
        put!(out, "<th scope=\"col\">{head}</th>");
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for one in comparisons.iter().filter(|one| (one.from, one.to) != (0.0, 0.0)) {
        let interval = one.interval.map_or_else(
            || UNKNOWN.to_owned(),
            |(low, high)| format!("{} … {}", comparison_text::ratio(low), comparison_text::ratio(high)),
        );
        let p = if one.verdict == Call::TooFew { UNKNOWN.to_owned() } else { comparison_text::p(one.p_holm) };
        let class = match one.verdict {
            _ if one.is_of_life() => "",
            Call::Improved => " class=\"best\"",
            Call::Regressed => " class=\"bad\"",
            _ => "",
        };
        put!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td data-exact=\"{}\">{}</td><td>{interval}</td>\
             <td data-exact=\"{}\">{}</td><td{class}>{}</td></tr>\n",
            escaped(&one.strategy),
            one.metric.words(),
            comparison_text::value(one.metric, one.from),
            comparison_text::value(one.metric, one.to),
            one.ratio,
            comparison_text::ratio(one.ratio),
            one.p_holm,
            escaped(&p),
            comparison_text::verdict_of(one)
        );
    }
    out.close_table();
    for sentence in comparison_text::sentences(comparisons) {
        put!(out, "<p class=\"how\">{}</p>\n", escaped(&sentence));
    }
}
