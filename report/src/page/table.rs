//! The verdict table: a row a strategy, a cell a figure, what it should be held against in small under it.
//!
//! Each cell carries the record's own number and its path in `data-` attributes; what is shown is that number rounded by
//! `words.rs`, as everywhere.

use super::best::{Kind, best};
use super::html::*;
use super::view::View;
use crate::record::Strategy;
use crate::text::words::{self, UNKNOWN};

/// What a cell shows.
struct Shown {
    /// The record's number; `None` where it is unknown.
    exact: Option<f64>,
    text: String,
    /// In small under it; may be empty.
    under: String,
}

/// A column.
struct Column {
    /// The path of the figure in a strategy's record, or a word where it is made of several.
    path: &'static str,
    head: &'static str,
    /// What the whole heading is, for a tooltip.
    about: &'static str,
    kind: Option<Kind>,
    cell: fn(&Strategy) -> Shown,
    /// Whether the figure may be compared at all.
    compared: fn(&Strategy) -> bool,
}

/// Only a hot key has reads an expiry.
const PER_EXPIRY: &str = "origin.per_expiry.mean";

/// Said only where it is another thing than [`words::well_after`].
const RECOVERED: &str = "recovery.recovered_after_s";

/// Errors and what was shed, of all requests.
const FAILED: &str = "failed_share";

/// Columns under one heading.
struct Group {
    head: &'static str,
    columns: Vec<Column>,
}

fn column(
    path: &'static str,
    head: &'static str,
    about: &'static str,
    kind: Option<Kind>,
    cell: fn(&Strategy) -> Shown,
) -> Column {
    Column { path, head, about, kind, cell, compared: |_| true }
}

fn groups(view: &View<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    // Which strategies came back is what a run with faults is about, and the first columns are those that a narrow screen shows.
    if view.rows.iter().any(|row| row.strategy.recovery.is_some()) {
        let mut columns = fault_columns();
        if !words::two_rules(view.rows.iter().map(|row| row.strategy)) {
            columns.retain(|column| column.path != RECOVERED);
        }
        groups.push(Group { head: "Faults", columns });
    }
    if !view.without_ledger() {
        let mut columns = origin_columns();
        if view.runs.iter().all(|run| run.hot_key.is_none()) {
            columns.retain(|column| column.path != PER_EXPIRY);
        }
        groups.push(Group { head: "Origin reads", columns });
    }
    groups.push(Group { head: "Response time, ms", columns: time_columns() });
    groups.push(Group { head: "Requests", columns: request_columns() });
    let cache = column(
        "cache_ops_per_request",
        "a request",
        "cache operations of all replicas, a request",
        Some(Kind::Rate),
        |s| {
            let ops = s.cache_ops_per_request;
            Shown { exact: ops, text: ops.map_or_else(unknown, |ops| format!("{ops:.2}")), under: String::new() }
        },
    );
    groups.push(Group { head: "Cache ops", columns: vec![cache] });
    groups
}

fn origin_columns() -> Vec<Column> {
    vec![
        column(
            "origin.total",
            "total",
            "reads that reached the origin, and as a multiple of the floor",
            Some(Kind::Count),
            |s| {
                let total = s.origin.as_ref().map(|origin| origin.total);
                let floor = s.origin.as_ref().and_then(|origin| origin.floor);
                let under = match (words::times_floor(s), floor) {
                    (Some(times), Some(floor)) => format!("{times:.1}× floor of {floor}"),
                    (None, Some(floor)) => format!("floor {floor}"),
                    _ if total.is_some() => "no floor".to_owned(),
                    _ => String::new(),
                };
                count(total, under)
            },
        ),
        column("origin.max_per_second", "peak/s", "the most reads in any one second", Some(Kind::Count), |s| {
            count(s.origin.as_ref().map(|origin| origin.max_per_second), String::new())
        }),
        column(
            PER_EXPIRY,
            "per expiry",
            "mean reads of the hot key at each expiry, and what theory predicts",
            Some(Kind::Rate),
            |s| {
                let mean = s.origin.as_ref().and_then(|origin| Some(origin.per_expiry.as_ref()?.mean));
                let theory = s.predicted.as_ref().map(|p| format!("theory {:.1}", p.per_expiry));
                Shown { exact: mean, text: one_decimal(mean), under: theory.unwrap_or_default() }
            },
        ),
    ]
}

fn time_columns() -> Vec<Column> {
    let p99 = |s: &Strategy| words::carries(s, 0.99);
    let p99_9 = |s: &Strategy| words::carries(s, 0.999);
    vec![
        column("latency_ms.p50", "p50", "median response time, from the planned send", Some(Kind::Time), |s| {
            time(s.latency_ms.p50)
        }),
        Column {
            compared: p99,
            ..column(
                "latency_ms.p99",
                "p99",
                "99th percentile; in an open loop with that of service time, from the actual send",
                Some(Kind::Time),
                |s| {
                    let service =
                        s.service_ms.p99.zip(s.latency_ms.p99).filter(|(one, two)| Kind::Time.differ(*one, *two));
                    let under = service
                        .map_or_else(String::new, |(service, _)| format!("service {}", words::ms(Some(service))));
                    Shown { under, ..time(s.latency_ms.p99) }
                },
            )
        },
        Column {
            compared: p99_9,
            ..column("latency_ms.p99_9", "p99.9", "99.9th percentile", Some(Kind::Time), |s| time(s.latency_ms.p99_9))
        },
        column("latency_ms.max", "max", "the slowest request", None, |s| time(s.latency_ms.max)),
    ]
}

fn request_columns() -> Vec<Column> {
    vec![
        column(
            "waiting_share",
            "waited",
            "share that waited for an origin read (outcomes wait and load), and how many waited in one replica at once, a slot's \
             queue included",
            Some(Kind::Share),
            |s| {
                let most = s.peak_waiters.filter(|most| *most > 0);
                share(words::waiting_share(s), most.map_or_else(String::new, |most| format!("≤ {most} at once")))
            },
        ),
        column(
            "stale.share",
            "stale",
            "share answered with a value past its TTL, and the largest age past it",
            Some(Kind::Share),
            |s| {
                let known = s.outcomes.unknown == 0;
                let age = s.stale.overage_ms_max.filter(|age| known && *age > 0);
                let under = age.map_or_else(String::new, |ms| format!("≤ {} old", words::age(ms)));
                share(s.stale.share.filter(|_| known), under)
            },
        ),
        column(
            FAILED,
            "failed",
            "share of the requests without a good answer, those shed included, and how many of how many; the verdict says why",
            Some(Kind::Share),
            |s| {
                let (all, failed) = (s.outcomes.sum(), s.outcomes.error + s.outcomes.shed);
                share((all > 0).then(|| words::failed_share(s)), format!("{failed} of {}", s.requests))
            },
        ),
    ]
}

fn fault_columns() -> Vec<Column> {
    vec![
        column(
            RECOVERED,
            "recovered after",
            "from the end of the last event until requests were answered as before it: docs/metastable.md",
            None,
            |s| {
                let exact = s.recovery.and_then(|r| r.recovered_after_s);
                Shown { exact, text: s.recovery.map_or_else(unknown, words::recovered_after), under: String::new() }
            },
        ),
        column(
            "recovery.troubled_s",
            "in trouble",
            "seconds from the first event on in which a request failed or waited too long: docs/faults.md",
            None,
            |s| {
                let troubled = s.recovery.map(|r| r.troubled_s);
                Shown { text: troubled.map_or_else(unknown, |s| format!("{s} s")), ..count(troubled, String::new()) }
            },
        ),
        column(
            "recovery.after_s",
            "well after",
            "from the end of the last event until no request failed or waited too long any more: docs/faults.md",
            None,
            |s| {
                let exact = s.recovery.and_then(|r| r.after_s);
                Shown { exact, text: s.recovery.map_or_else(unknown, words::well_after), under: String::new() }
            },
        ),
    ]
}

fn unknown() -> String {
    UNKNOWN.to_owned()
}

fn count(value: Option<u64>, under: String) -> Shown {
    Shown { exact: value.map(|v| v as f64), text: value.map_or_else(unknown, |v| v.to_string()), under }
}

fn time(value: Option<f64>) -> Shown {
    Shown { exact: value, text: words::ms(value), under: String::new() }
}

fn share(value: Option<f64>, under: String) -> Shown {
    Shown { exact: value, text: words::share(value), under }
}

fn one_decimal(value: Option<f64>) -> String {
    value.map_or_else(unknown, |value| format!("{value:.1}"))
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
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn heads(out: &mut Sheet, groups: &[Group]) {
    out.push_str(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Verdict table\" tabindex=\"0\">\n<table class=\"verdict\">\n\
         <caption class=\"unseen\">Each strategy’s figures over the measured phase</caption>\n<thead>\n<tr>\
         <th rowspan=\"2\" scope=\"col\">Strategy</th>",
    );
    for group in groups {
        put!(out, "<th class=\"first\" colspan=\"{}\" scope=\"colgroup\">{}</th>", group.columns.len(), group.head);
    }
    out.push_str("</tr>\n<tr>");
    for (at, column) in groups.iter().flat_map(|group| group.columns.iter().enumerate()) {
        let first = if at == 0 { " class=\"first\"" } else { "" };
        put!(out, "<th{first} scope=\"col\" title=\"{}\">{}</th>", escaped(column.about), column.head);
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
}

fn best_in(view: &View<'_>, column: &Column) -> Vec<usize> {
    let Some(kind) = column.kind else { return Vec::new() };
    best(view, kind, |s| (column.cell)(s).exact.filter(|_| (column.compared)(s)))
}

fn cell(out: &mut Sheet, strategy: &Strategy, column: &Column, first: bool, is_best: bool) {
    let Shown { exact, text, under } = (column.cell)(strategy);
    let lost = strategy.recovery.is_some_and(|recovery| recovery.recovered == Some(false));
    let bad = column.path == FAILED && strategy.errors > 0 || column.path == RECOVERED && lost;
    let classes: Vec<&str> = [(first, "first"), (is_best, "best"), (bad, "bad")]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, class)| *class)
        .collect();
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
    let exact = exact.map_or_else(|| "null".to_owned(), |exact| exact.to_string());
    let said = if is_best { "<span class=\"unseen\"> best</span>" } else { "" };
    let under = if under.is_empty() { String::new() } else { format!("<small>{}</small>", escaped(&under)) };
    let (path, text) = (column.path, escaped(&text));
    put!(
        out,
        "<td{class} data-path=\"{path}\" data-exact=\"{exact}\" title=\"{path} {exact}\">{text}{said}{under}</td>"
    );
}
