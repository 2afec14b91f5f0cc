//! `near`: copies in the replica's own process, in front of the shared cache.
//!
//! A copy lives for the layer's TTL at most, and never past the entry's own freshness. What a leader looks at again and what a caller that
//! waits polls is the shared cache. With `coalesce` in the composition one reads the shared cache for a key at a
//! time in a process, and the others share its answer; without it each does.
//!
//! With `invalidate` a change is heard on a bus ([`Bus`]), and the copy goes. A read leaves a mark before it is sent (`copies.rs`): a
//! change that is heard between the mark and the reply takes the mark away, and the reply, which may be older than the change, is not kept.

mod cache;
mod copies;
mod listener;
mod settings;

use std::time::Duration;

pub(crate) use cache::near;
pub use copies::NearCounters;
pub(crate) use copies::{Bounds, Copies, HeldCopy};
pub(crate) use settings::{LocalLayer, NearLayer};

use crate::port::Bus;
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};

const TIME: Range = Range::Time(Duration::ZERO, Duration::from_secs(3600));

/// How many copies a process keeps at most, by number and by bytes: parameters that `local` has, too.
pub(crate) const ENTRIES: ParamInfo =
    ParamInfo { name: "entries", default: "10000", what: "how many it keeps", range: Range::Count(1, 10_000_000) };
pub(crate) const BYTES: ParamInfo = ParamInfo {
    name: "bytes",
    default: "64MiB",
    what: "how many bytes of keys and values it keeps; what was used longest ago goes first",
    range: Range::Size,
};

/// Its row.
pub(crate) const NEAR: LayerInfo = LayerInfo {
    name: "near",
    slot: Slot::Cache,
    summary: "copies in the process, for a time; with coalesce one reads the shared cache for a key at a time",
    params: &[
        ParamInfo {
            name: "ttl",
            default: "1s",
            what: "how long a copy lives",
            range: Range::Time(Duration::from_millis(1), Duration::from_secs(3600)),
        },
        ENTRIES,
        BYTES,
        ParamInfo { name: "jitter", default: "0", what: "", range: Range::Spread(10.0, 0.9) },
        ParamInfo {
            name: "stale",
            default: "0s",
            what: "how long past its life a copy is served where the shared cache is lost",
            range: TIME,
        },
        ParamInfo {
            name: "invalidate",
            default: "none",
            what: "how a change is heard: none (the TTL alone), pubsub, streams, tracking (RESP3, all keys of the prefix) or \
                   tracking-default (RESP3, keys that were read)",
            range: Range::Word(&["none", "pubsub", "streams", "tracking", "tracking-default"]),
        },
        ParamInfo {
            name: "maxlen",
            default: "1000",
            what: "how many changes a stream keeps (invalidate=streams)",
            range: Range::Count(1, 1_000_000),
        },
    ],
    make: |args| {
        let maxlen = args.count("maxlen")?;
        let buses =
            [None, Some(Bus::PubSub), Some(Bus::Streams { maxlen }), Some(Bus::Tracking), Some(Bus::TrackingDefault)];
        let bus = args.word("invalidate", &buses)?;
        if args.is_changed("maxlen") && !matches!(bus, Some(Bus::Streams { .. })) {
            return Err(
                "near has maxlen, which is a stream's; write invalidate=streams beside it, or drop maxlen".into()
            );
        }
        Ok(Layer::Near(NearLayer {
            ttl: args.duration("ttl")?,
            bounds: Bounds { entries: args.count("entries")?, bytes: args.size("bytes")? },
            jitter: args.spread("jitter")?,
            stale: args.duration("stale")?,
            bus,
            coalesces: false,
            marks: true,
        }))
    },
};
