//! One span: a flight as its replica told it, or an origin read as the ledger has it.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use report::record::{OriginRow, Run, Strategy};
use serde_json::{Value, json};

/// Of a span's kind, by the specification: work inside a program.
const INTERNAL: u8 = 1;
/// Of a span's kind, by the specification: a request that a server answered.
const SERVER: u8 = 2;
/// Of a span's status, by the specification: an error.
const ERROR: u8 = 2;

/// Which process a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SpanOwner {
    /// A replica, by number where it is known.
    Replica(Option<u32>),
    /// The origin.
    Origin,
}

/// What all spans of a strategy's run have in common.
pub(super) struct SpanNames {
    run: String,
    strategy: String,
    /// Which run of the strategy it is, for the names of traces.
    of_run: u64,
    zero_ns: i128,
}

/// A flight that is under way.
pub(super) struct FlightSpan {
    pub(super) began_ns: i64,
    pub(super) replica: Option<u32>,
    pub(super) key: Option<String>,
    pub(super) cause: Option<String>,
}

impl SpanNames {
    pub(super) fn of(run: &Run, strategy: &Strategy, zero_ns: i128) -> Self {
        let of_run = hash(&(&run.run, &strategy.folder));
        Self { run: run.run.clone(), strategy: strategy.name.clone(), of_run, zero_ns }
    }

    /// A trace is a flight. 16 bytes as hexadecimal digits.
    fn trace(&self, flight: &str) -> String {
        format!("{:016x}{:016x}", self.of_run, hash(flight))
    }

    fn at(&self, t_ns: i64) -> String {
        (self.zero_ns + i128::from(t_ns)).max(0).to_string()
    }

    fn common(&self, flight: &str, key: Option<String>) -> [(&'static str, Option<String>); 4] {
        [
            ("lab.run", Some(self.run.clone())),
            ("lab.strategy", Some(self.strategy.clone())),
            ("lab.flight", Some(flight.to_owned())),
            ("lab.key", key),
        ]
    }
}

/// A flight's span, from when it was led to when it ended. Of one whose end nobody told the length is not known: 0.
pub(super) fn flight_span(
    names: &SpanNames,
    flight: &str,
    begun: FlightSpan,
    ended: Option<(i64, String)>,
) -> (SpanOwner, Value) {
    let (end_ns, end) = ended.map_or((begun.began_ns, None), |(at, end)| (at.max(begun.began_ns), Some(end)));
    let status = match end.as_deref() {
        Some("done") | None => json!({}),
        Some(end) => json!({ "code": ERROR, "message": end }),
    };
    let own = [("lab.cause", begun.cause), ("lab.end", end.or(Some("not told".into())))];
    let span = json!({
        "traceId": names.trace(flight),
        "spanId": span_id(flight, "flight"),
        "name": "flight",
        "kind": INTERNAL,
        "startTimeUnixNano": names.at(begun.began_ns),
        "endTimeUnixNano": names.at(end_ns),
        "attributes": attributes(names.common(flight, begun.key).into_iter().chain(own)),
        "status": status,
    });
    (SpanOwner::Replica(begun.replica), span)
}

/// An origin read's span, from its arrival to its end, as its flight's child.
pub(super) fn read_span(names: &SpanNames, row: &OriginRow) -> Value {
    let end_ns = row.end_ns.unwrap_or(row.arrived_ns);
    let queued = row.start_ns.map(|start| ((start - row.arrived_ns).max(0) / 1000).to_string());
    let status = match row.outcome.as_str() {
        "ok" | "missing" | "open" => json!({}),
        outcome => json!({ "code": ERROR, "message": outcome }),
    };
    let own =
        [("lab.phase", Some(row.phase.clone())), ("lab.outcome", Some(row.outcome.clone())), ("lab.queued_us", queued)];
    json!({
        "traceId": names.trace(&row.flight),
        // A flight may read more than once.
        "spanId": span_id(&row.flight, &row.arrived_ns.to_string()),
        "parentSpanId": span_id(&row.flight, "flight"),
        "name": "origin read",
        "kind": SERVER,
        "startTimeUnixNano": names.at(row.arrived_ns),
        "endTimeUnixNano": names.at(end_ns.max(row.arrived_ns)),
        "attributes": attributes(names.common(&row.flight, Some(row.key.clone())).into_iter().chain(own)),
        "status": status,
    })
}

/// Those that are known, as the specification writes them.
pub(super) fn attributes(known: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Vec<Value> {
    let said = known.into_iter().filter_map(|(key, value)| Some((key, value?)));
    said.map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect()
}

fn span_id(flight: &str, what: &str) -> String {
    format!("{:016x}", hash(&(flight, what)))
}

/// Never 0, which is no name in OTLP. The same for a run and a program, which is all that names must be.
fn hash(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish().max(1)
}
