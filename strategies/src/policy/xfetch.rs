//! `xfetch`: probabilistic early refresh, see [`Early::XFetch`].

use super::{Early, RefreshMode, STALE};
use crate::spec::{Layer, LayerInfo, ParamInfo, PolicySpec, Range, Slot, Span};

/// Its row.
pub(crate) const XFETCH: LayerInfo = LayerInfo {
    name: "xfetch",
    slot: Slot::Policy,
    summary: "refresh early with a probability that rises towards the expiry (Vattani et al., 2015)",
    params: &[
        ParamInfo { name: "beta", default: "1", what: "higher refreshes earlier", range: Range::AtMost(100.0) },
        ParamInfo {
            name: "mode",
            default: "background",
            what: "background, or sync where the caller computes as in the paper",
            range: Range::Word(&["background", "sync"]),
        },
        STALE,
    ],
    make: |args| {
        let mode = args.word("mode", &[RefreshMode::Background, RefreshMode::Sync])?;
        let early = Early::XFetch { beta: args.number("beta")?, mode };
        Ok(Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? }))
    },
};
