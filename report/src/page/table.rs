//! The verdict table: a row a strategy, a cell a figure, what it should be held against in small under it.
//!
//! Each cell carries the record's own number and its path in `data-` attributes; what is shown is that number rounded by
//! `phrases.rs`, as everywhere.

use super::best::best;
use super::html::*;
use super::view::View;
use crate::record::Strategy;
use crate::text::columns::{self, Cell, FigureRow, OnPage};
use crate::text::figures::FIGURES;

/// A column.
type Column = (&'static FigureRow, OnPage);

/// Columns under one heading.
struct Group {
    head: &'static str,
    columns: Vec<Column>,
}

fn groups(view: &View<'_>) -> Vec<Group> {
    let shown = |figure: &&FigureRow| figure.shown.is(&view.runs, view.rows.iter().map(|row| row.strategy));
    let shown: Vec<&'static FigureRow> = FIGURES.iter().filter(shown).collect();
    let columns = |of: columns::Group| {
        let here = shown.iter().filter_map(|figure| Some((*figure, figure.page.filter(|page| page.group == of)?)));
        here.collect::<Vec<Column>>()
    };
    let groups =
        columns::Group::ALL.into_iter().filter(|(of, _)| *of != columns::Group::Origin || !view.without_ledger());
    let groups = groups.map(|(of, head)| Group { head, columns: columns(of) });
    groups.filter(|group| !group.columns.is_empty()).collect()
}

/// The table. Without `marks` nobody is called best.
pub(super) fn table(out: &mut Sheet, view: &View<'_>, marks: bool) {
    let groups = groups(view);
    heads(out, &groups);
    // Whether a column is its group's first, and which rows are best in it.
    let columns: Vec<(bool, &Column, Vec<usize>)> = groups
        .iter()
        .flat_map(|group| group.columns.iter().enumerate())
        .map(|(at, column)| (at == 0, column, if marks { best_in(view, column) } else { Vec::new() }))
        .collect();
    for (at, row) in view.rows.iter().enumerate() {
        let (class, s) = (row.class(at), row.strategy);
        let alarm = if s.valid { "" } else { " <strong class=\"bad\">INVALID</strong>" };
        let spec = if s.spec == s.name { String::new() } else { format!("<small>{}</small>", escaped(&s.spec)) };
        put!(
            out,
            "<tr class=\"{class}\" data-s=\"{at}\" data-name=\"{}\"><th scope=\"row\"><span class=\"who\"><i class=\"key\"></i>\
             <span>{}{alarm}{spec}</span></span></th>",
            escaped(&s.name),
            escaped(&row.name)
        );
        for (first, column, best) in &columns {
            cell(out, s, column, *first, best.contains(&at));
        }
        out.push_str("</tr>\n");
    }
    out.close_table();
}

fn heads(out: &mut Sheet, groups: &[Group]) {
    out.open_table("Verdict table", "verdict");
    out.push_str(
        "<caption class=\"unseen\">Each strategy’s figures over the measured phase</caption>\n<thead>\n<tr>\
         <th rowspan=\"2\" scope=\"col\">Strategy</th>",
    );
    for group in groups {
        put!(out, "<th class=\"first\" colspan=\"{}\" scope=\"colgroup\">{}</th>", group.columns.len(), group.head);
    }
    out.push_str("</tr>\n<tr>");
    for (at, column) in groups.iter().flat_map(|group| group.columns.iter().enumerate()) {
        let first = if at == 0 { " class=\"first\"" } else { "" };
        put!(out, "<th{first} scope=\"col\" title=\"{}\">{}</th>", escaped(column.1.about), column.1.head);
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
}

fn best_in(view: &View<'_>, column: &Column) -> Vec<usize> {
    let FigureRow { unit, cell, compared, .. } = column.0;
    unit.map_or_else(Vec::new, |unit| best(view, unit, |s| cell(s).exact.filter(|_| compared(s))))
}

fn cell(out: &mut Sheet, strategy: &Strategy, column: &Column, first: bool, is_best: bool) {
    let figure = column.0;
    let Cell { exact, text, under } = (figure.cell)(strategy);
    let bad = (figure.alarm)(strategy);
    let classes: Vec<&str> = [(first, "first"), (is_best, "best"), (bad, "bad")]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, class)| *class)
        .collect();
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
    let exact = exact.map_or_else(|| "null".to_owned(), |exact| exact.to_string());
    let said = if is_best { "<span class=\"unseen\"> best</span>" } else { "" };
    let under = if under.is_empty() { String::new() } else { format!("<small>{}</small>", escaped(&under)) };
    let (path, text) = (figure.path, escaped(&text));
    put!(
        out,
        "<td{class} data-path=\"{path}\" data-exact=\"{exact}\" title=\"{path} {exact}\">{text}{said}{under}</td>"
    );
}
