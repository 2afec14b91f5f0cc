//! What went between the replicas and the shared cache.

use evidence::ReplicaCounters;
use report::record::TrafficFigures;
use strategies::Spec;

use super::round::round;

/// What the replicas counted; `None` where nothing goes over a connection, and where an event ended a replica and its counts with it.
pub(super) fn traffic(spec: Option<&Spec>, counters: ReplicaCounters) -> Option<TrafficFigures> {
    let traffic = counters.traffic.filter(|_| counters.requests > 0)?;
    let each = |count: u64| Some(round(count as f64 / counters.requests as f64, 1e3));
    Some(TrafficFigures {
        commands: traffic.commands,
        bytes_read: traffic.bytes_read,
        bytes_written: traffic.bytes_written,
        commands_per_request: each(traffic.commands),
        read_per_request: each(traffic.bytes_read),
        written_per_request: each(traffic.bytes_written),
        part: spec.and_then(Spec::part).map(|part| round(part, 1e4)),
        round_trips_per_request: (counters.ordered > 0)
            .then(|| round(counters.round_trips as f64 / counters.ordered as f64, 1e3)),
        torn: spec.and_then(Spec::part).map(|_| counters.torn),
    })
}
