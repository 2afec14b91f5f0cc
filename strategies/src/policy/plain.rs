//! `plain`: cache-aside.

use super::{Early, STALE};
use crate::spec::{Layer, LayerInfo, PolicySpec, Slot, Span};

/// Its row.
pub(crate) const PLAIN: LayerInfo = LayerInfo {
    name: "plain",
    slot: Slot::Policy,
    summary: "cache-aside: GET, and on a miss read the origin and store",
    params: &[STALE],
    make: |args| {
        Ok(Layer::Policy(PolicySpec { early: Early::Never, soft: Span::Ttl(1.0), stale: args.span("stale")? }))
    },
};
