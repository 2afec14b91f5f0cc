//! Terms → a validated [`Spec`].

use std::time::Duration;

use super::args::Args;
use super::broken::BROKEN;
use super::catalogue::{LAYERS, LayerInfo, PRESETS, Slot};
use super::terms::Term;
use super::{CacheLayer, CircuitSettings, FillLayer, LimitSettings, OriginLayer, PolicySpec, Span, Spec};
use crate::budgets::Budgets;
use crate::fill::{Hold, LEASE_MARGIN, LockSettings};
use crate::policy::Early;
use crate::words::nearest;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MS: Duration = Duration::from_millis(1);

/// What a term became.
enum Layer {
    Policy(PolicySpec),
    Cache(CacheLayer),
    Fill(FillLayer),
    Origin(OriginLayer),
    Negative(Duration),
    Bare,
}

pub(super) fn spec(text: &str, terms: &[Term]) -> Result<Spec, String> {
    let mut named: Vec<(&LayerInfo, Layer, String)> = Vec::new();
    for term in terms {
        let info = info(&term.name)?;
        if named.iter().any(|(other, ..)| other.name == info.name) {
            return Err(format!("has the layer {} twice", info.name));
        }
        let args = Args::of(info, term)?;
        named.push((info, layer(info.name, &args)?, format!("{}{}", info.name, args.canonical())));
    }
    // The order of the catalogue is the order in which compositions are said.
    named.sort_by_key(|(info, ..)| LAYERS.iter().position(|l| l.name == info.name));
    let canonical = named.iter().map(|(_, _, said)| said.as_str()).collect::<Vec<_>>().join(" + ");
    assemble(text, canonical, named)
}

fn assemble(text: &str, canonical: String, named: Vec<(&LayerInfo, Layer, String)>) -> Result<Spec, String> {
    let (mut policies, mut cache, mut fill, mut origin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut bare, mut negative) = (false, None);
    for (_, layer, _) in named {
        match layer {
            Layer::Policy(policy) => policies.push(policy),
            Layer::Cache(layer) => cache.push(layer),
            Layer::Fill(layer) => fill.push(layer),
            Layer::Origin(layer) => origin.push(layer),
            Layer::Negative(ttl) => negative = Some(ttl),
            Layer::Bare => bare = true,
        }
    }
    let of = |slot| LAYERS.iter().filter(|l| l.slot == slot).map(|l| l.name).collect::<Vec<_>>().join(", ");
    let [policy] = policies[..] else {
        let found = if policies.is_empty() { "no policy" } else { "more than one policy" };
        return Err(format!("has {found}; a composition has exactly one of: {}", of(Slot::Policy)));
    };
    if bare && !fill.is_empty() {
        return Err("has `bare`, which says that nothing protects the fill, beside a layer that does; drop one".into());
    }
    if fill.iter().filter(|layer| matches!(layer, FillLayer::Lock(_))).count() > 1 {
        return Err("has both lock and lease, which do the same for the fleet; drop one".into());
    }
    // Inner to outer: the fleet's lock inside, the process's coalescing around it.
    fill.sort_by_key(|layer| matches!(layer, FillLayer::Coalesce));
    // Whoever the breaker refuses takes no place in the limit's queue.
    origin.sort_by_key(|layer| matches!(layer, OriginLayer::Breaker(_)));
    Ok(Spec { name: text.trim().to_owned(), canonical, policy, cache, flaw: None, negative, fill, origin })
}

fn info(name: &str) -> Result<&'static LayerInfo, String> {
    if let Some(info) = LAYERS.iter().find(|l| l.name == name) {
        return Ok(info);
    }
    if PRESETS.iter().any(|p| p.name == name) {
        return Err(format!("{name} is a preset and stands alone; a composition is made of layers"));
    }
    let names =
        || LAYERS.iter().map(|l| l.name).chain(PRESETS.iter().map(|p| p.name)).chain(BROKEN.iter().map(|b| b.name));
    let meant = nearest(name, names()).map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
    let layers = LAYERS.iter().map(|l| l.name).collect::<Vec<_>>().join(", ");
    let presets = PRESETS.iter().map(|p| p.name).collect::<Vec<_>>().join(", ");
    Err(format!("there is no strategy or layer {name:?}{meant}; presets: {presets}; layers: {layers}"))
}

fn layer(name: &str, args: &Args<'_>) -> Result<Layer, String> {
    Ok(match name {
        "plain" => Layer::Policy(PolicySpec { early: Early::Never, soft: Span::Ttl(1.0), stale: args.span("stale")? }),
        "swr" => Layer::Policy(PolicySpec { early: Early::Never, soft: soft(args)?, stale: args.span("stale")? }),
        "xfetch" => {
            let beta = args.number("beta", |b| b > 0.0 && b <= 100.0)?;
            let early = Early::XFetch { beta, mode: args.refresh_mode()? };
            Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? })
        }
        "jitter" => {
            let (spread, symmetric) = args.spread("spread")?;
            Layer::Cache(CacheLayer::Jitter { spread, symmetric })
        }
        "coalesce" => Layer::Fill(FillLayer::Coalesce),
        "ahead" => {
            let early = Early::Ahead { theta: args.number("theta", |t| t > 0.0 && t < 1.0)? };
            Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? })
        }
        "soft-window" => {
            let probability = args.number("probability", |p| p > 0.0 && p <= 1.0)?;
            let early = Early::SoftWindow { window: args.span("window")?, probability };
            Layer::Policy(PolicySpec { early, soft: Span::Ttl(1.0), stale: args.span("stale")? })
        }
        "negative" => Layer::Negative(args.duration("ttl", MS, HOUR)?),
        "lock" => {
            let life = args.auto_or_duration("lease", LEASE_MARGIN + MS * 100, DAY)?;
            let hold = Hold::Lock { life: life.unwrap_or(Budgets::USUAL.lock_life()) };
            Layer::Fill(FillLayer::Lock(lock(args, hold, life.is_none())?))
        }
        "lease" => {
            let life = args.duration("life", MS * 30, HOUR)?;
            let age = args.auto_or_duration("max_age", MS * 100, DAY)?;
            let hold = Hold::Lease { life, max_age: age.unwrap_or(Budgets::USUAL.lease_age()), fenced: true };
            Layer::Fill(FillLayer::Lock(lock(args, hold, age.is_none())?))
        }
        "limit" => Layer::Origin(OriginLayer::Limit(LimitSettings {
            concurrency: args.count("concurrency", 1..=1024)?,
            queue: args.count("queue", 0..=1_000_000)?,
            margin: args.auto_or_duration("margin", MS, DAY)?,
        })),
        "breaker" => Layer::Origin(OriginLayer::Breaker(CircuitSettings {
            share: args.number("share", |s| s > 0.0 && s <= 1.0)?,
            samples: args.count("samples", 1..=10_000)?,
            window: args.duration("window", MS * 100, HOUR)?,
            cool_down: args.duration("cool_down", MS * 100, HOUR)?,
            trickle: args.count("trickle", 1..=1024)?,
            successes: args.count("successes", 1..=10_000)?,
        })),
        _ => Layer::Bare,
    })
}

/// A fresh life of nothing would make every read a refresh.
fn soft(args: &Args<'_>) -> Result<Span, String> {
    match args.span("soft")? {
        Span::Fixed(Duration::ZERO) | Span::Ttl(0.0) => {
            Err("swr(soft): found zero; an entry must be fresh for a while".into())
        }
        span => Ok(span),
    }
}

/// What lock and lease have in common.
fn lock(args: &Args<'_>, hold: Hold, auto_hold: bool) -> Result<LockSettings, String> {
    let notify = args.notify()?;
    let poll = args.duration(if notify { "fallback" } else { "poll" }, MS, MS * 10_000)?;
    let wait = args.auto_or_duration("wait", Duration::ZERO, DAY)?;
    Ok(LockSettings {
        hold,
        poll,
        wait: wait.unwrap_or(Budgets::USUAL.lock_wait),
        on_timeout: args.on_timeout()?,
        notify,
        auto_hold,
        auto_wait: wait.is_none(),
    })
}
