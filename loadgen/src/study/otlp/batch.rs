//! Spans on their way: as many as one request to a collector has, by the process that they are of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::span::{SpanOwner, attributes};

/// Spans of one request at most: the default of OpenTelemetry's batch processor.
const SPANS_MAX: u64 = 512;

/// Spans by owner.
#[derive(Debug, Default)]
pub(super) struct Batch {
    spans: BTreeMap<SpanOwner, Vec<Value>>,
    len: u64,
}

impl Batch {
    pub(super) fn push(&mut self, owner: SpanOwner, span: Value) {
        self.spans.entry(owner).or_default().push(span);
        self.len += 1;
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn is_full(&self) -> bool {
        self.len >= SPANS_MAX
    }

    /// An `ExportTraceServiceRequest`, in the JSON encoding of protocol buffers.
    pub(super) fn into_request(self) -> Value {
        let resources = self.spans.into_iter().map(|(owner, spans)| {
            let resource = match owner {
                SpanOwner::Replica(number) => attributes([
                    ("service.name", Some("replica".into())),
                    ("service.instance.id", number.map(|number| number.to_string())),
                ]),
                SpanOwner::Origin => attributes([("service.name", Some("origin".into()))]),
            };
            let scope = json!({ "name": "stampede-lab", "version": env!("CARGO_PKG_VERSION") });
            json!({
                "resource": { "attributes": resource },
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            })
        });
        json!({ "resourceSpans": resources.collect::<Vec<_>>() })
    }
}
