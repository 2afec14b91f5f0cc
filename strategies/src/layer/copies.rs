//! `copies`: one key several times in the shared cache, under names of its own, so that a cluster spreads its reads over its shards.
//!
//! A request reads one of them, drawn anew each time. Each is an entry like any other: what misses it fills it, and has a lock, a jitter
//! and a fence of its own. A write tells all of them, one after the other, and between the first and the last they differ.

use super::copy_names::CopiesLayer;
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
            what: "random (their slots fall as they do) or even (their names are chosen so that each has its own n-th of a cluster's slots)",
            range: Range::Word(&["random", "even"]),
        },
    ],
    make: |args| {
        let even = args.word("tags", &[false, true])?;
        Ok(Layer::Copies(CopiesLayer { n: args.count("n")?, even }))
    },
};
