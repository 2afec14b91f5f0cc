//! `soft-window`: early refresh with a fixed probability, see [`Early::SoftWindow`].

use super::{Early, STALE};
use crate::spec::{Layer, LayerInfo, ParamInfo, PolicySpec, Range, Slot, Span};

/// Its row.
pub(crate) const SOFT_WINDOW: LayerInfo = LayerInfo {
    name: "soft-window",
    slot: Slot::Policy,
    summary: "within the last part of the TTL each hit refreshes with a fixed probability (the APEE-LRM article)",
    params: &[
        ParamInfo {
            name: "window",
            default: "0.2T",
            what: "how long before the expiry it opens (1s, 0.2T)",
            range: Range::Span,
        },
        ParamInfo { name: "probability", default: "0.15", what: "of each hit within it", range: Range::AtMost(1.0) },
        STALE,
    ],
    make: |args| {
        let early = Early::SoftWindow { window: args.span("window")?, probability: args.number("probability")? };
        Ok(Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? }))
    },
};
