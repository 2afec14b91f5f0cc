//! `copies`: one key several times in the shared cache, under names of its own, so that a cluster spreads its reads over its shards.
//!
//! A request reads one of them, drawn anew each time. Each is an entry like any other: what misses it fills it, and has a lock, a jitter
//! and a fence of its own. A write tells all of them, one after the other, and between the first and the last they differ.

use super::copy_names::{CopiesLayer, CopyTags};
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};

/// Its row.
pub(crate) const COPIES: LayerInfo = LayerInfo {
    name: "copies",
    slot: Slot::Cache,
    summary: "one key several times under different names: a read takes any of them, a write tells all",
    params: &[
        ParamInfo { name: "n", default: "10", what: "how many", range: Range::Count(2, 100) },
        ParamInfo {
            name: "tags",
            default: "random",
            what: "random (drawn, so that their slots are), counted (from 0 on, as most people name them) or even (chosen so that each has its own n-th of a cluster's slots)",
            range: Range::Word(&["random", "counted", "even"]),
        },
    ],
    make: |args| {
        let tags = args.word("tags", &[CopyTags::Random, CopyTags::Counted, CopyTags::Even])?;
        Ok(Layer::Copies(CopiesLayer { n: args.count("n")?, tags }))
    },
};
