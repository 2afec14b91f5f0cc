//! Every layer and preset there is.
//!
//! A new layer is one file for its row and its work, and one line in [`LAYERS`].

use super::layer::LayerInfo;
use super::param::ParamInfo;
use super::terms::{Arg, Term};
use crate::fill::{BARE, COALESCE, LEASE, LOCK};
use crate::kit::nearest::nearest;
use crate::layer::origin::{BREAKER, LIMIT};
use crate::layer::write::{EXPIRE, INVALIDATE, WRITE_THROUGH};
use crate::layer::{
    BATCH, CACHE_BREAKER, COPIES, JITTER, LOCAL, MULTIPLEXED, NEAR, NEGATIVE, PARTS, POOL, READ_FROM, TIMEOUTS,
};
use crate::policy::{AHEAD, PLAIN, SOFT_WINDOW, SWR, XFETCH};

/// Every layer, in the order in which compositions are said. Of several cache layers the later ones are outside.
pub const LAYERS: &[LayerInfo] = &[
    PLAIN,
    SWR,
    XFETCH,
    AHEAD,
    SOFT_WINDOW,
    MULTIPLEXED,
    POOL,
    TIMEOUTS,
    READ_FROM,
    BATCH,
    CACHE_BREAKER,
    LOCAL,
    NEGATIVE,
    JITTER,
    PARTS,
    COPIES,
    NEAR,
    COALESCE,
    LOCK,
    LEASE,
    BARE,
    LIMIT,
    BREAKER,
    EXPIRE,
    INVALIDATE,
    WRITE_THROUGH,
];

/// A preset, for people.
#[derive(Debug, Clone, Copy)]
pub struct PresetInfo {
    /// Its name.
    pub name: &'static str,
    /// What it stands for.
    pub composition: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
}

/// Every preset.
pub const PRESETS: &[PresetInfo] = &[
    PresetInfo { name: "naive", composition: "plain", summary: "cache-aside with a TTL: the stampede itself" },
    PresetInfo {
        name: "coalesce",
        composition: "plain + coalesce",
        summary: "an in-process mutex: protects one process, not the fleet",
    },
    PresetInfo {
        name: "singleflight",
        composition: "plain + lock",
        summary: "one refresher per key across all replicas; everybody else waits",
    },
    PresetInfo {
        name: "swr",
        composition: "swr + lock",
        summary: "stale-while-revalidate behind the fleet's lock: nobody waits at an expiry",
    },
    PresetInfo {
        name: "xfetch",
        composition: "xfetch + lock",
        summary: "probabilistic early refresh behind the fleet's lock: a hot key never expires",
    },
    PresetInfo {
        name: "jitter",
        composition: "plain + jitter",
        summary: "random extra TTL: for keys that were written together, not for one hot key",
    },
    PresetInfo {
        name: "ahead",
        composition: "ahead + lock",
        summary: "early refresh at a fixed age behind the fleet's lock: what XFetch is compared with",
    },
    PresetInfo {
        name: "apee-lrm",
        composition: "soft-window + lease",
        summary: "the adaptive locking article: probabilistic early refresh and a lease-renewing mutex",
    },
    PresetInfo {
        name: "stack",
        composition: "swr + jitter(spread=0.1) + coalesce + lease",
        summary: "the primer's recommended stack",
    },
    PresetInfo {
        name: "best",
        composition: "xfetch(stale=T) + jitter(spread=0.1) + coalesce + lease(wake=notify)",
        summary: "what theory says should win: early, and stale should it be late all the same; woken, fenced, spread",
    },
];

/// Where the terms are one preset, its composition with the arguments given to it, which replace its own; else the terms
/// as they are.
pub(super) fn expand(terms: &[Term]) -> Result<Vec<Term>, String> {
    let [term] = terms else { return Ok(terms.to_vec()) };
    let Some(preset) = PRESETS.iter().find(|p| p.name == term.name) else { return Ok(terms.to_vec()) };
    let mut expanded = super::terms::parse(preset.composition)?;
    let own = |layer: &Term, arg: &Arg| arg.key.is_some() && layer.args.iter().any(|a| a.key == arg.key);
    for arg in &term.args {
        expanded.iter_mut().filter(|t| own(t, arg)).for_each(|t| t.args.retain(|a| a.key != arg.key));
    }
    for arg in &term.args {
        let Some(at) = taker(&expanded, preset.name, arg) else { return Err(nobody_takes(preset, arg)) };
        expanded[at].args.push(arg.clone());
    }
    Ok(expanded)
}

/// Which of a preset's layers an argument goes to.
pub(super) fn taker(expanded: &[Term], preset: &str, arg: &Arg) -> Option<usize> {
    expanded.iter().position(|t| takes(t, preset, arg))
}

/// A named argument goes to the layer that has such a parameter; a positional one to the layer of the preset's name.
fn takes(term: &Term, preset: &str, arg: &Arg) -> bool {
    match &arg.key {
        Some(key) => params(&term.name).iter().any(|p| p.name == key),
        None => term.name == preset && !params(&term.name).is_empty(),
    }
}

fn params(layer: &str) -> &'static [ParamInfo] {
    LAYERS.iter().find(|l| l.name == layer).map_or(&[], |l| l.params)
}

fn nobody_takes(preset: &PresetInfo, arg: &Arg) -> String {
    let layers = preset.composition.split('+').map(str::trim);
    let known: Vec<&str> = layers.flat_map(|l| params(l).iter().map(|p| p.name)).collect();
    let given = arg.key.as_deref().unwrap_or(&arg.value);
    let meant = nearest(given, known.iter().copied()).map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
    format!(
        "the preset {} ({}) has no parameter {given:?}{meant}; it has: {}",
        preset.name,
        preset.composition,
        known.join(", ")
    )
}
