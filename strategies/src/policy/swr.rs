//! `swr`: stale-while-revalidate.

use std::time::Duration;

use super::{Early, STALE};
use crate::spec::{Layer, LayerInfo, ParamInfo, PolicySpec, Range, Slot, Span};

/// Its row.
pub(crate) const SWR: LayerInfo = LayerInfo {
    name: "swr",
    slot: Slot::Policy,
    summary: "stale-while-revalidate: past the TTL serve the old value at once and refresh in the background",
    params: &[
        ParamInfo { name: "soft", default: "T", what: "how long an entry is fresh (4s, T, 0.8T)", range: Range::Span },
        ParamInfo { default: "T", ..STALE },
    ],
    make: |args| {
        let soft = args.span("soft")?;
        // A fresh life of nothing would make every read a refresh.
        if matches!(soft, Span::Fixed(Duration::ZERO) | Span::Ttl(0.0)) {
            return Err("swr(soft): found zero; an entry must be fresh for a while".into());
        }
        Ok(Layer::Policy(PolicySpec { early: Early::Never, soft, stale: args.span("stale")? }))
    },
};
