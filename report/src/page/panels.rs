//! Small multiples: one plot a strategy, side by side or under one another, read out together.

use super::html::*;
use super::plot::{Plot, Readout};
use super::view::{Columns, StrategyRow, View};
use crate::draw::DrawnPoint;

/// One strategy's plot with what is said beside it.
pub(super) struct Panel {
    pub(super) plot: Plot,
    /// Beside the strategy's name.
    pub(super) figures: String,
    /// For a reader who cannot see the plot: what it shows, and what is to be seen in it.
    pub(super) title: String,
    pub(super) text: String,
    /// What it reads out, as [`super::plot::values`] has it; may be empty.
    pub(super) values: String,
}

/// How a group of panels is laid out.
pub(super) struct PanelGroup<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    pub(super) readout: Readout<'a>,
    /// Whether each panel has the page's whole width.
    pub(super) wide: bool,
    /// What the x axis is.
    pub(super) axis: &'a str,
}

impl<'a> PanelGroup<'a> {
    /// A group over the measured phase: the readouts of all of them move together.
    pub(super) fn over_time(id: &'a str, columns: Columns) -> Self {
        let readout = Readout {
            x: (0.0, columns.until_s),
            x0: 0.0,
            dx: columns.each as f64,
            count: columns.count,
            before: "at ",
            unit: " s",
            labels: None,
            sync: "time",
            rows: Vec::new(),
        };
        Self { id, readout, wide: false, axis: "seconds since the measured phase began" }
    }

    /// Draws the panel of every strategy.
    pub(super) fn write(
        &self,
        out: &mut Sheet,
        view: &View<'_>,
        mut draw: impl FnMut(usize, &StrategyRow<'_>) -> Panel,
    ) {
        let Self { id, readout, wide, axis } = self;
        let wide = if *wide { " wide" } else { "" };
        put!(out, "<div class=\"panels{wide}\" {}>\n", readout.attributes());
        for (at, row) in view.rows.iter().enumerate() {
            let panel = draw(at, row);
            let (class, name, figures) = (row.class(at), escaped(&row.name), escaped(&panel.figures));
            let bad = if row.strategy.valid { "" } else { " <strong class=\"bad\">INVALID</strong>" };
            put!(
                out,
                "<figure class=\"panel {class}\" data-s=\"{at}\" {}>\n<figcaption><i class=\"key\"></i><b>{name}</b>{bad} \
                 <span>{figures}</span><span class=\"now\"></span></figcaption>\n",
                panel.values
            );
            panel.plot.html(out, &format!("{id}-{at}"), &panel.title, &panel.text);
            out.push_str("</figure>\n");
        }
        put!(out, "</div>\n<p class=\"axis\">{axis}</p>\n");
    }
}

/// Columns of time as bars: (from, to, value).
pub(super) fn bars(columns: Columns, values: &[Option<f64>]) -> impl Iterator<Item = (f64, f64, f64)> {
    values.iter().enumerate().filter_map(move |(at, value)| {
        let (from, to) = (columns.start(at), columns.start(at + 1).min(columns.until_s));
        Some((from, to, (*value)?))
    })
}

/// Columns of time as points in their middle.
pub(super) fn points(columns: Columns, values: &[Option<f64>]) -> Vec<DrawnPoint> {
    let middle = |at: usize| (columns.start(at) + columns.each as f64 / 2.0).min(columns.until_s);
    values.iter().enumerate().map(|(at, value)| (middle(at), *value)).collect()
}

/// The strategy's faults in a plot: a line each, and its number; those that would cover one another share a flag.
pub(super) fn faults(plot: &mut Plot, row: &StrategyRow<'_>) {
    let until_s = plot.end();
    let faults: Vec<f64> = row.digest.faults.iter().map(|(at, _)| *at).collect();
    plot.verticals("fault", faults.iter().copied());
    let mut shown: Vec<(usize, f64)> = faults.into_iter().enumerate().collect();
    shown.retain(|(_, at)| (0.0..=until_s).contains(at));
    for together in shown.chunk_by(|(_, before), (_, at)| at - before < until_s / 30.0) {
        if let [(first, at), .., (last, _)] = together {
            plot.flag(*at, &format!("{}–{}", first + 1, last + 1));
        } else if let [(only, at)] = together {
            plot.flag(*at, &(only + 1).to_string());
        }
    }
}

/// What the numbers at the faults stand for: one list where all strategies had the same, else one each.
pub(super) fn fault_list(out: &mut Sheet, view: &View<'_>) {
    let said = |row: &StrategyRow<'_>| -> Vec<String> {
        row.digest.faults.iter().map(|(at, what)| format!("{at:.1} s {what}")).collect()
    };
    let lists: Vec<Vec<String>> = view.rows.iter().map(said).collect();
    if lists.iter().all(Vec::is_empty) {
        return;
    }
    let list = |out: &mut Sheet, all: &[String]| {
        for (at, said) in all.iter().enumerate() {
            put!(out, "<span class=\"fault-said\"><b>{}</b> {}</span>", at + 1, escaped(said));
        }
    };
    out.push_str("<div class=\"faults\">");
    let first = lists.iter().find(|list| !list.is_empty());
    if let Some(first) = first.filter(|first| lists.iter().all(|list| list == *first)) {
        out.push_str("<p>Faults: ");
        list(out, first);
        out.push_str("</p>");
    } else {
        for (at, (row, all)) in view.rows.iter().zip(&lists).enumerate().filter(|(_, (_, all))| !all.is_empty()) {
            put!(out, "<p data-s=\"{at}\" class=\"{}\">Faults under {}: ", row.class(at), escaped(&row.name));
            list(out, all);
            out.push_str("</p>");
        }
    }
    out.push_str("</div>\n");
}

/// A column's value as the script shows it.
pub(super) fn said(values: &[Option<f64>], show: impl Fn(f64) -> String) -> Vec<String> {
    values.iter().map(|value| value.map_or_else(|| "–".to_owned(), &show)).collect()
}
