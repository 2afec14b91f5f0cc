//! Text → terms → a validated [`Spec`].

use std::sync::Arc;

use super::args::Args;
use super::catalogue::{self, LAYERS, PRESETS};
use super::composition::Spec;
use super::layer::{Alone, FillLayer, Layer, LayerInfo, Slot};
use super::terms::{self, Term};
use crate::kit::nearest::nearest;
use crate::layer::{ConnectionLayer, ConnectionSpec};
use crate::stack::sabotage::BROKEN;

/// What is wrong with a SPEC: a sentence that names what was found, what is allowed and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strategy {text:?}: {problem}")]
pub struct SpecError {
    /// The SPEC as typed.
    pub text: String,
    /// The sentence.
    pub problem: String,
}

impl Spec {
    /// Reads a preset's name (`xfetch`, `jitter(0.5)`, `singleflight(poll=20ms)`) or a composition (`swr + coalesce`).
    ///
    /// A single word is a preset first: `swr` is `swr + lock`. A composition of one layer is written with `bare`, which
    /// says out loud that nothing protects its fill: `swr + bare`.
    ///
    /// # Errors
    /// [`SpecError`] at the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let broken = BROKEN.iter().find(|b| b.name == text.trim());
        let composition = broken.map_or(text, |b| b.composition);
        let parsed = terms::parse(composition).and_then(|terms| catalogue::expand(&terms));
        let parsed = parsed.and_then(|terms| spec(text, &terms));
        let spec = parsed.map_err(|problem| SpecError { text: text.to_owned(), problem })?;
        Ok(broken.map_or_else(|| spec.clone(), |b| spec.clone().with(b)))
    }
}

fn spec(text: &str, terms: &[Term]) -> Result<Spec, String> {
    let mut named: Vec<(&LayerInfo, Layer, String)> = Vec::new();
    for term in terms {
        let info = info(&term.name)?;
        if named.iter().any(|(other, ..)| other.name == info.name) {
            return Err(format!("has the layer {} twice", info.name));
        }
        let args = Args::of(info.name, info.params, term)?;
        named.push((info, (info.make)(&args)?, format!("{}{}", info.name, args.canonical())));
    }
    // The order of the catalogue is the order in which compositions are said.
    named.sort_by_key(|(info, ..)| LAYERS.iter().position(|l| l.name == info.name));
    let canonical = named.iter().map(|(_, _, said)| said.as_str()).collect::<Vec<_>>().join(" + ");
    assemble(text, canonical, named)
}

fn assemble(text: &str, canonical: String, named: Vec<(&LayerInfo, Layer, String)>) -> Result<Spec, String> {
    let (mut policies, mut cache, mut fill, mut origin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut bare, mut writes) = (false, Vec::new());
    let (mut near, mut local, mut copies, mut connections) = (None, None, None, Vec::new());
    let mut cache_breaker = None;
    for (_, layer, _) in named {
        match layer {
            Layer::Policy(policy) => policies.push(policy),
            Layer::Connection(layer) => connections.push(layer),
            Layer::Cache(layer) => cache.push(layer),
            Layer::CacheBreaker(layer) => cache_breaker = Some(layer),
            Layer::Near(layer) => near = Some(layer),
            Layer::Local(layer) => local = Some(layer),
            Layer::Copies(layer) => copies = Some(layer),
            Layer::Fill(layer) => fill.push(layer),
            Layer::Origin(layer) => origin.push(layer),
            Layer::Write(layer) => writes.push(layer),
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
    let locks = |layer: &&Arc<dyn FillLayer>| layer.reach() == Alone::InFleet;
    if fill.iter().filter(locks).count() > 1 {
        return Err("has both lock and lease, which do the same for the fleet; drop one".into());
    }
    let connection = connection(&connections, local.is_some())?;
    if local.is_some() && cache_breaker.is_some() {
        return Err(
            "has `local`, which shares no cache, and `cache-breaker`, which guards a shared one; drop one".into()
        );
    }
    if local.is_some() && fill.iter().any(|layer| layer.reach() == Alone::InFleet) {
        return Err("has `local`, where each replica has its own cache, and a lock or a lease, which lies in the cache that all share; \
                    take `coalesce`, which works in the process, or drop local"
            .into());
    }
    if local.is_some() && (near.is_some() || copies.is_some()) {
        let other = if near.is_some() { "near" } else { "copies" };
        return Err(format!(
            "has `local`, which shares no cache, and `{other}`, which stands in front of a shared one; drop one"
        ));
    }
    if let (Some(near), true) = (&mut near, fill.iter().any(|layer| layer.reach() == Alone::InProcess)) {
        near.coalesces = true;
    }
    if writes.len() > 1 {
        return Err(format!("has more than one write layer; a composition has at most one of: {}", of(Slot::Write)));
    }
    // Inner to outer: the fleet's lock inside, the process's coalescing around it.
    fill.sort_by_key(|layer| layer.reach() != Alone::InFleet);
    // What the breaker refuses takes no place in the limit's queue.
    origin.sort_by_key(|layer| layer.breaker().is_some());
    let write = writes.pop();
    let name = text.trim().to_owned();
    Ok(Spec {
        name,
        canonical,
        policy,
        connection,
        cache_breaker,
        cache,
        near,
        local,
        copies,
        broken: None,
        fill,
        origin,
        write,
    })
}

/// What the connection's rows say together.
fn connection(layers: &[ConnectionLayer], local: bool) -> Result<ConnectionSpec, String> {
    if local && !layers.is_empty() {
        return Err("has `local`, which shares no cache, and says how to connect to one; drop one".into());
    }
    let mut spec = ConnectionSpec::default();
    for layer in layers {
        match layer {
            ConnectionLayer::Multiplexed => {}
            ConnectionLayer::Pool(settings) => spec.pool = Some(*settings),
            ConnectionLayer::Timeouts(limits) => spec.limits = Some(*limits),
        }
    }
    if spec.pool.is_some() && layers.contains(&ConnectionLayer::Multiplexed) {
        return Err("has `multiplexed`, one connection for all, and `pool`, one for each; drop one".into());
    }
    Ok(spec)
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
