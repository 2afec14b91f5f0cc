//! The trade-off: what a strategy costs the origin, its users' patience and the truth of its answers, all three at once.

use super::best::{Cost, front};
use super::html::*;
use super::plot::{Named, Plot};
use super::view::View;
use crate::draw::{AxisScale, ends, whole};
use crate::text::columns::FigureUnit;
use crate::text::phrases;

/// A dot's diameter without a stale answer, and what is added where all are stale, pixels.
const DOT_PX: f64 = 11.0;
const STALE_PX: f64 = 44.0;

/// Origin load × p99 × staleness, and the strategies that none beats.
pub(super) fn tradeoff(out: &mut Sheet, view: &View<'_>) {
    let front = front(view);
    let known: Vec<(usize, Cost, Option<usize>)> =
        front.iter().enumerate().filter_map(|(at, cost)| cost.map(|(cost, by)| (at, cost, by))).collect();
    if known.len() < 2 {
        return;
    }
    let how = "Down and left is cheap; a larger dot has more stale answers. A full dot is on the Pareto front: no other strategy \
               is clearly better in reads, p99 or staleness without being clearly worse in another. A hollow one is beaten. \
               The dashed line bounds what any of them reached in reads and p99.";
    let of_nodes = if known.iter().any(|(_, cost, _)| cost.fullest.is_some()) {
        " The share of the fullest node is weighed, too."
    } else {
        ""
    };
    let of_repeats = if view.blocks() > 0 { " Clearly is by the rule for one run, held to the medians." } else { "" };
    out.section("tradeoff", "What each strategy trades", &format!("{how}{of_nodes}{of_repeats}"));
    let (x, y) = (log(known.iter().map(|(_, cost, _)| cost.reads)), log(known.iter().map(|(_, cost, _)| cost.p99_ms)));
    let mut plot = Plot::new(x, y, 320).x_ticks(whole(x.ticks(6))).y_ticks(y.ticks(7));
    plot.line("bound", &bound(&known).iter().map(|(reads, p99)| (*reads, Some(*p99))).collect::<Vec<_>>());
    let mut named = Vec::new();
    for (at, cost, by) in &known {
        let row = &view.rows[*at];
        let hollow = if by.is_some() { " hollow" } else { "" };
        let point = (cost.reads, cost.p99_ms);
        let diameter = DOT_PX + STALE_PX * cost.stale.clamp(0.0, 1.0).sqrt();
        plot.dot(&format!("{}{hollow}", row.class(*at)), &format!("data-s=\"{at}\""), point, diameter);
        let stale =
            if cost.stale > 0.0 { format!(", {} stale", phrases::share(Some(cost.stale))) } else { String::new() };
        named.push(Named {
            class: format!("{}{hollow}", row.class(*at)),
            row: *at,
            values: String::new(),
            html: format!(
                "{} <small>{} reads, {} ms{stale}</small>",
                with_ends(&row.name),
                cost.reads,
                phrases::ms(Some(cost.p99_ms))
            ),
            at: point,
        });
    }
    plot.names(&named, 34.0);
    let said = sentences(view, &known);
    out.push_str("<figure class=\"panel trade\">\n<p class=\"y-title\">p99, milliseconds, logarithmic</p>\n");
    plot.html(out, "trade-plot", "Origin reads and p99 of each strategy, both logarithmic", &said.join(" "));
    out.push_str(
        "</figure>\n<p class=\"axis\">origin reads in the measured phase, logarithmic</p>\n<ul class=\"said\">\n",
    );
    for sentence in said {
        put!(out, "<li>{}</li>\n", escaped(&sentence));
    }
    out.push_str("</ul>\n</section>\n");
}

/// A scale around the values that is never empty.
fn log(values: impl Iterator<Item = f64>) -> AxisScale {
    let around = |(low, high)| AxisScale::Log(low / 1.6, high * 1.6);
    ends(values.filter(|value| *value > 0.0)).map_or(AxisScale::Log(1.0, 10.0), around)
}

/// The corners of the stairs left of and below which nobody is.
fn bound(known: &[(usize, Cost, Option<usize>)]) -> Vec<(f64, f64)> {
    let mut places: Vec<(f64, f64)> = known.iter().map(|(_, cost, _)| (cost.reads, cost.p99_ms)).collect();
    places.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.total_cmp(&two.1)));
    let mut stairs: Vec<(f64, f64)> = Vec::new();
    for (reads, p99) in places {
        match stairs.last().copied() {
            Some((_, lowest)) if p99 >= lowest => {}
            Some((_, lowest)) => stairs.extend([(reads, lowest), (reads, p99)]),
            None => stairs.extend([(reads, f64::MAX), (reads, p99)]),
        }
    }
    stairs.extend(stairs.last().copied().map(|(_, lowest)| (f64::MAX, lowest)));
    stairs
}

/// The strategies on the front, and by which and in what the others are beaten.
fn sentences(view: &View<'_>, known: &[(usize, Cost, Option<usize>)]) -> Vec<String> {
    let name = |at: usize| view.rows.get(at).map_or("", |row| row.name.as_str());
    let on: Vec<&str> = known.iter().filter(|(_, _, by)| by.is_none()).map(|(at, _, _)| name(*at)).collect();
    let mut said = vec![format!("On the front: {}.", on.join(", "))];
    for (at, cost, by) in known {
        let Some((by, better)) = by.and_then(|by| Some((by, known.iter().find(|(at, _, _)| *at == by)?.1))) else {
            continue;
        };
        let mut in_what = Vec::new();
        if FigureUnit::Count.differ(cost.reads, better.reads) {
            in_what.push(format!("{} reads instead of {}", better.reads, cost.reads));
        }
        if FigureUnit::Time.differ(cost.p99_ms, better.p99_ms) {
            let [one, two] = [better.p99_ms, cost.p99_ms].map(|ms| phrases::ms_with_unit(Some(ms)));
            in_what.push(format!("p99 {one} instead of {two}"));
        }
        if FigureUnit::Share.differ(cost.stale, better.stale) {
            let [one, two] = [better.stale, cost.stale].map(|share| phrases::share(Some(share)));
            in_what.push(format!("{one} stale instead of {two}"));
        }
        if let Some((found, lower)) =
            cost.fullest.zip(better.fullest).filter(|(one, two)| FigureUnit::Share.differ(*one, *two))
        {
            let [one, two] = [lower, found].map(|share| phrases::share(Some(share)));
            in_what.push(format!("{one} of all commands at the fullest node instead of {two}"));
        }
        said.push(format!(
            "{} is beaten by {}: {}; the rest is not distinguishable.",
            name(*at),
            name(by),
            in_what.join(", ")
        ));
    }
    said
}
