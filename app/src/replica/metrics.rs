//! `/metrics` in Prometheus' text format: a few counters of the strategy that runs now.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::running::Replica;

pub(super) async fn scrape(State(replica): State<Arc<Replica>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text(&replica))
}

/// Writing to a String cannot fail, so what `write!` returns says nothing.
fn text(replica: &Replica) -> String {
    let mut out = String::new();
    let counters = replica.counters();
    let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, u64)>| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let one = |value| vec![(String::new(), value)];
    family("lab_in_flight", "gauge", "Requests and background tasks that have not ended.", one(counters.in_flight));
    let Some(running) = replica.running() else { return out };
    let spec = running.spec.canonical();
    family("lab_strategy_info", "gauge", "The strategy that runs now.", vec![(format!("{{spec=\"{spec}\"}}"), 1)]);
    family("lab_cache_operations_total", "counter", "Cache and lease operations.", one(counters.cache_ops));
    let outcomes = running.outcomes().map(|(o, n)| (format!("{{outcome=\"{}\"}}", o.name()), n)).collect();
    family("lab_answers_total", "counter", "Answers by outcome.", outcomes);
    let events = running.events.counts().into_iter().map(|(e, n)| (format!("{{event=\"{e}\"}}"), n)).collect();
    family("lab_events_total", "counter", "What happened inside the strategy.", events);
    out
}
