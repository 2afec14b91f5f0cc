//! Every layer and preset there is, with what `list` and the error messages say of them.
//!
//! A new idea is one file for its work, one line in `convert.rs` and in `stack.rs`, and one row here.

use super::terms::{Arg, Term};
use crate::words::nearest;

/// Where in the stack a layer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Turns lookups into answers; each stack has exactly one.
    Policy,
    /// A cache around the cache.
    Cache,
    /// A way to fill around a way to fill.
    Fill,
    /// An origin around the origin.
    Origin,
}

/// A layer, for people.
#[derive(Debug, Clone, Copy)]
pub struct LayerInfo {
    /// Its name in a SPEC.
    pub name: &'static str,
    /// Its slot.
    pub slot: Slot,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its parameters; the first may be given without its name.
    pub params: &'static [ParamInfo],
}

/// A parameter, for people.
#[derive(Debug, Clone, Copy)]
pub struct ParamInfo {
    /// Its name in a SPEC.
    pub name: &'static str,
    /// Its default, as it would be typed.
    pub default: &'static str,
    /// What it is and what is allowed.
    pub what: &'static str,
}

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

const STALE: ParamInfo =
    ParamInfo { name: "stale", default: "0s", what: "how long past the TTL an old value may be served (5s, T, 0.5T)" };

const POLL: ParamInfo =
    ParamInfo { name: "poll", default: "50ms", what: "how often losers re-read the cache; 1ms to 10s" };
const WAIT: ParamInfo = ParamInfo {
    name: "wait",
    default: "auto",
    what: "how long losers wait: auto (the scenario's budgets.lock_wait, usually 5s), or up to 24h",
};
const ON_TIMEOUT: ParamInfo = ParamInfo {
    name: "on_timeout",
    default: "shed",
    what: "what a loser gets then: shed (503), load (reads the origin itself) or stale",
};
const WAKE: ParamInfo =
    ParamInfo { name: "wake", default: "poll", what: "poll, or notify where losers are woken by a message" };
const FALLBACK: ParamInfo = ParamInfo {
    name: "fallback",
    default: "250ms",
    what: "with wake=notify: how often losers look all the same; 1ms to 10s",
};

/// Every layer.
pub const LAYERS: &[LayerInfo] = &[
    LayerInfo {
        name: "plain",
        slot: Slot::Policy,
        summary: "cache-aside: GET, and on a miss read the origin and store",
        params: &[STALE],
    },
    LayerInfo {
        name: "swr",
        slot: Slot::Policy,
        summary: "stale-while-revalidate: past the TTL serve the old value at once and refresh in the background",
        params: &[
            ParamInfo { name: "soft", default: "T", what: "how long an entry is fresh (4s, T, 0.8T)" },
            ParamInfo { default: "T", ..STALE },
        ],
    },
    LayerInfo {
        name: "xfetch",
        slot: Slot::Policy,
        summary: "refresh early with a probability that rises towards the expiry (Vattani et al., 2015)",
        params: &[
            ParamInfo { name: "beta", default: "1", what: "higher refreshes earlier; above 0, at most 100" },
            ParamInfo {
                name: "mode",
                default: "background",
                what: "background, or sync where the caller computes as in the paper",
            },
            STALE,
        ],
    },
    LayerInfo {
        name: "ahead",
        slot: Slot::Policy,
        summary: "refresh early once age ≥ θ·T: a fixed cutoff, which many requests cross together",
        params: &[ParamInfo { name: "theta", default: "0.9", what: "share of the TTL; between 0 and 1" }, STALE],
    },
    LayerInfo {
        name: "soft-window",
        slot: Slot::Policy,
        summary: "within the last part of the TTL each hit refreshes with a fixed probability (the APEE-LRM article)",
        params: &[
            ParamInfo { name: "window", default: "0.2T", what: "how long before the expiry it opens (1s, 0.2T)" },
            ParamInfo { name: "probability", default: "0.15", what: "of each hit within it; above 0, at most 1" },
            STALE,
        ],
    },
    LayerInfo {
        name: "negative",
        slot: Slot::Cache,
        summary: "stores that an item does not exist, too, for a time of its own",
        params: &[ParamInfo { name: "ttl", default: "1s", what: "for how long; 1ms to 1h" }],
    },
    LayerInfo {
        name: "jitter",
        slot: Slot::Cache,
        summary: "on each put the TTL becomes T·(1 + U(0, spread)), or T·(1 + U(−spread, spread)) for ±spread",
        params: &[ParamInfo { name: "spread", default: "0.2", what: "0 to 10, or both ways: ±0 to ±0.9 (or +-0.1)" }],
    },
    LayerInfo {
        name: "coalesce",
        slot: Slot::Fill,
        summary: "one flight per key and process; followers share the leader's answer",
        params: &[],
    },
    LayerInfo {
        name: "lock",
        slot: Slot::Fill,
        summary: "one flight per key and fleet: SET NX PX in the cache; losers poll",
        params: &[
            ParamInfo {
                name: "lease",
                default: "auto",
                what: "life of the lock: auto (twice the scenario's budgets.origin_read, usually 10s), or 600ms to 24h",
            },
            POLL,
            WAIT,
            ON_TIMEOUT,
            WAKE,
            FALLBACK,
        ],
    },
    LayerInfo {
        name: "lease",
        slot: Slot::Fill,
        summary: "a short lock that its holder renews while it works, and whose put is fenced: a late one changes nothing",
        params: &[
            ParamInfo { name: "life", default: "1s", what: "life of the lease, renewed at a third of it; 30ms to 1h" },
            ParamInfo {
                name: "max_age",
                default: "auto",
                what: "when its holder gives up all the same: auto (six times the scenario's budgets.origin_read, usually \
                       30s), or 100ms to 24h",
            },
            POLL,
            WAIT,
            ON_TIMEOUT,
            WAKE,
            FALLBACK,
        ],
    },
    LayerInfo {
        name: "bare",
        slot: Slot::Fill,
        summary: "nothing protects the fill: every miss reads the origin (for compositions of a policy alone)",
        params: &[],
    },
    LayerInfo {
        name: "limit",
        slot: Slot::Origin,
        summary: "at most so many origin reads of a replica under way, so many waiting, and none that comes too late (503)",
        params: &[
            ParamInfo { name: "concurrency", default: "16", what: "reads of a replica under way; 1 to 1024" },
            ParamInfo { name: "queue", default: "64", what: "reads that wait for their turn; 0 to 1000000" },
            ParamInfo {
                name: "margin",
                default: "auto",
                what: "what a read must have left of its budget after waiting: auto (as long as reads take), or 1ms to 24h",
            },
        ],
    },
    LayerInfo {
        name: "breaker",
        slot: Slot::Origin,
        summary: "stops reading an origin that fails or is too slow (503), and comes back with a trickle",
        params: &[
            ParamInfo { name: "share", default: "0.5", what: "of reads that fail, to open at; above 0, at most 1" },
            ParamInfo {
                name: "samples",
                default: "10",
                what: "reads that must have ended before it opens; 1 to 10000",
            },
            ParamInfo { name: "window", default: "10s", what: "over which they are counted; 100ms to 1h" },
            ParamInfo {
                name: "cool_down",
                default: "5s",
                what: "how long it stays open, and up to a fifth longer; 100ms to 1h",
            },
            ParamInfo { name: "trickle", default: "1", what: "reads at a time while it is half open; 1 to 1024" },
            ParamInfo {
                name: "successes",
                default: "10",
                what: "reads of the trickle that must end well to close it; 1 to 10000",
            },
        ],
    },
];

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
