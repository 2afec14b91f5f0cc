//! Text → terms → a validated [`Spec`].

use std::sync::Arc;

use super::args::Args;
use super::catalogue::{self, LAYERS, PRESETS};
use super::composition::Spec;
use super::layer::{Alone, CacheLayer, FillLayer, Layer, LayerInfo, OriginLayer, PolicySpec, Slot, WriteLayer};
use super::terms::{self, Term};
use crate::kit::nearest::nearest;
use crate::layer::{
    BatchMode, CacheBreakerLayer, ConnectionLayer, ConnectionSpec, CopiesLayer, LocalLayer, NearLayer, PartsLayer,
};
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
    assemble(text, canonical, named.into_iter().map(|(_, layer, _)| layer).collect())
}

/// The layers of a composition by what they do, before it is known whether they go together.
#[derive(Default)]
struct Rows {
    policies: Vec<PolicySpec>,
    connections: Vec<ConnectionLayer>,
    cache: Vec<Arc<dyn CacheLayer>>,
    cache_breaker: Option<CacheBreakerLayer>,
    near: Option<NearLayer>,
    local: Option<LocalLayer>,
    copies: Option<CopiesLayer>,
    parts: Option<PartsLayer>,
    batch: Option<BatchMode>,
    fill: Vec<Arc<dyn FillLayer>>,
    origin: Vec<Arc<dyn OriginLayer>>,
    writes: Vec<Arc<dyn WriteLayer>>,
    bare: bool,
}

impl Rows {
    fn of(layers: Vec<Layer>) -> Self {
        let mut rows = Self::default();
        for layer in layers {
            match layer {
                Layer::Policy(policy) => rows.policies.push(policy),
                Layer::Connection(layer) => rows.connections.push(layer),
                Layer::Cache(layer) => rows.cache.push(layer),
                Layer::CacheBreaker(layer) => rows.cache_breaker = Some(layer),
                Layer::Near(layer) => rows.near = Some(layer),
                Layer::Local(layer) => rows.local = Some(layer),
                Layer::Copies(layer) => rows.copies = Some(layer),
                Layer::Parts(layer) => rows.parts = Some(layer),
                Layer::Batch(mode) => rows.batch = Some(mode),
                Layer::Fill(layer) => rows.fill.push(layer),
                Layer::Origin(layer) => rows.origin.push(layer),
                Layer::Write(layer) => rows.writes.push(layer),
                Layer::Bare => rows.bare = true,
            }
        }
        rows
    }

    fn fills(&self, reach: Alone) -> usize {
        self.fill.iter().filter(|layer| layer.reach() == reach).count()
    }

    fn policy(&self) -> Result<PolicySpec, String> {
        if let [policy] = self.policies[..] {
            return Ok(policy);
        }
        let found = if self.policies.is_empty() { "no policy" } else { "more than one policy" };
        Err(format!("has {found}; a composition has exactly one of: {}", names(Slot::Policy)))
    }

    /// The first two that do not go together.
    fn contradiction(&self) -> Option<String> {
        if self.bare && !self.fill.is_empty() {
            return Some(
                "has `bare`, which says that nothing protects the fill, beside a layer that does; drop one".into(),
            );
        }
        if self.fills(Alone::InFleet) > 1 {
            return Some("has both lock and lease, which do the same for the fleet; drop one".into());
        }
        if self.writes.len() > 1 {
            let allowed = names(Slot::Write);
            return Some(format!("has more than one write layer; a composition has at most one of: {allowed}"));
        }
        let besides = [("near", self.near.is_some()), ("copies", self.copies.is_some())];
        if let (Some(_), Some((other, _))) = (&self.parts, besides.iter().find(|(_, there)| *there)) {
            return Some(format!("has `parts` and `{other}`, which each say under which keys an item lies; drop one"));
        }
        self.local.as_ref().and_then(|_| self.not_with_local())
    }

    /// What `local` leaves nothing to do for.
    fn not_with_local(&self) -> Option<String> {
        if self.fills(Alone::InFleet) > 0 {
            return Some(
                "has `local`, where each replica has its own cache, and a lock or a lease, which lies in the cache that all share; \
                 take `coalesce`, which works in the process, or drop local"
                    .into(),
            );
        }
        let other = if !self.connections.is_empty() {
            "says how to connect to one"
        } else if self.cache_breaker.is_some() {
            "`cache-breaker`, which guards one"
        } else if self.near.is_some() {
            "`near`, which stands in front of one"
        } else if self.copies.is_some() {
            "`copies`, which spreads a key over one"
        } else if self.parts.is_some() {
            "`parts`, which spreads an item over keys of one"
        } else if self.batch.is_some() {
            "`batch`, which says how to read several items from one"
        } else {
            return None;
        };
        Some(format!("has `local`, which shares no cache, and {other}; drop one"))
    }
}

/// The names of a slot's layers.
fn names(slot: Slot) -> String {
    LAYERS.iter().filter(|l| l.slot == slot).map(|l| l.name).collect::<Vec<_>>().join(", ")
}

fn assemble(text: &str, canonical: String, layers: Vec<Layer>) -> Result<Spec, String> {
    let mut rows = Rows::of(layers);
    let policy = rows.policy()?;
    rows.contradiction().map_or(Ok(()), Err)?;
    let connection = connection(&rows.connections)?;
    let coalesces = rows.fills(Alone::InProcess) > 0;
    if let Some(near) = &mut rows.near {
        near.coalesces = coalesces;
    }
    // Inner to outer: the fleet's lock inside, the process's coalescing around it.
    rows.fill.sort_by_key(|layer| layer.reach() != Alone::InFleet);
    // What the breaker refuses takes no place in the limit's queue.
    rows.origin.sort_by_key(|layer| layer.breaker().is_some());
    Ok(Spec {
        name: text.trim().to_owned(),
        canonical,
        policy,
        connection,
        cache_breaker: rows.cache_breaker,
        cache: rows.cache,
        near: rows.near,
        local: rows.local,
        copies: rows.copies,
        parts: rows.parts,
        batch: rows.batch,
        broken: None,
        fill: rows.fill,
        origin: rows.origin,
        write: rows.writes.pop(),
    })
}

/// What the connection's rows say together.
fn connection(layers: &[ConnectionLayer]) -> Result<ConnectionSpec, String> {
    let mut spec = ConnectionSpec::default();
    for layer in layers {
        match layer {
            ConnectionLayer::Multiplexed => {}
            ConnectionLayer::Pool(settings) => spec.pool = Some(*settings),
            ConnectionLayer::Timeouts(limits) => spec.limits = Some(*limits),
            ConnectionLayer::ReadFrom(nodes) => spec.reads = *nodes,
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
