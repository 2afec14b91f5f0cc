//! `ahead`: early refresh at a fixed age, see [`Early::Ahead`].

use super::{Early, STALE};
use crate::spec::{Layer, LayerInfo, ParamInfo, PolicySpec, Range, Slot, Span};

/// Its row.
pub(crate) const AHEAD: LayerInfo = LayerInfo {
    name: "ahead",
    slot: Slot::Policy,
    summary: "refresh early once age ≥ θ·T: a fixed cutoff, which many requests cross together",
    params: &[ParamInfo { name: "theta", default: "0.9", what: "share of the TTL", range: Range::Below(1.0) }, STALE],
    make: |args| {
        let early = Early::Ahead { theta: args.number("theta")? };
        Ok(Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? }))
    },
};
