//! The SPEC grammar: a strategy as a line of text, `swr(stale=5s) + coalesce + lock`.
//!
//! Text is parsed into plain terms, then converted once into this validated type; nothing downstream checks again. The
//! order on the command line does not matter: slots decide the order of work, so a wrong order cannot be written down.

mod args;
mod broken;
mod catalogue;
mod convert;
mod fit;
mod layer;
mod param;
mod promise;
mod terms;
mod vary;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use args::Args;
pub use broken::{BROKEN, BrokenInfo, Flaw};
pub use catalogue::{LAYERS, PRESETS, PresetInfo};
pub use fit::Unfit;
pub(crate) use layer::{CacheLayer, FillLayer, Layer, OriginLayer, PolicySpec};
pub use layer::{LayerInfo, Slot};
pub use param::ParamInfo;
pub(crate) use param::Range;
pub use promise::{Alone, BreakerPromise, Promise};

pub(crate) use crate::fill::LockSettings;
use crate::kit::time::nanos;
use crate::kit::units::duration_text;
pub(crate) use crate::policy::Early;

/// A validated composition of layers.
#[derive(Debug, Clone)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) canonical: String,
    pub(crate) policy: PolicySpec,
    /// Inner to outer.
    pub(crate) cache: Vec<Arc<dyn CacheLayer>>,
    /// What is wrong with it, on purpose.
    pub(crate) flaw: Option<Flaw>,
    /// Inner to outer: what works for the fleet stands inside what works for the process.
    pub(crate) fill: Vec<Arc<dyn FillLayer>>,
    /// Inner to outer: the limit stands inside the breaker.
    pub(crate) origin: Vec<Arc<dyn OriginLayer>>,
}

/// Which side refreshes early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshMode {
    Background,
    Sync,
}

/// What a caller gets that waited too long for somebody else's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTimeout {
    Shed,
    Load,
    Stale,
}

/// A length of time: fixed, or as a multiple of the scenario's TTL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Span {
    Fixed(Duration),
    Ttl(f64),
}

impl Span {
    pub(crate) fn of(self, ttl: Duration) -> Duration {
        match self {
            Self::Fixed(d) => d,
            Self::Ttl(factor) => Duration::from_nanos((nanos(ttl) as f64 * factor).round() as u64),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(d) => f.write_str(&duration_text(*d)),
            Self::Ttl(1.0) => f.write_str("T"),
            Self::Ttl(factor) => write!(f, "{factor}T"),
        }
    }
}

/// What is wrong with a SPEC: a sentence that names what was found, what is allowed and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strategy {text:?}: {problem}")]
pub struct SpecError {
    /// The SPEC as typed.
    pub text: String,
    /// The sentence.
    pub problem: String,
}

/// Equal are those that were typed alike, whichever budgets they were fitted to.
impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.canonical) == (&other.name, &other.canonical)
    }
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
        let parsed = parsed.and_then(|terms| convert::spec(text, &terms));
        let spec = parsed.map_err(|problem| SpecError { text: text.to_owned(), problem })?;
        Ok(broken.map_or_else(|| spec.clone(), |b| spec.clone().with(b)))
    }

    /// The same with a flaw, and labelled so.
    fn with(mut self, broken: &BrokenInfo) -> Self {
        self.canonical = format!("WRONG ON PURPOSE ({}): {}", broken.reason, self.canonical);
        self.flaw = Some(broken.flaw);
        if let (Flaw::SignTurned, Early::XFetch { beta, .. }) = (broken.flaw, self.policy.early) {
            self.policy.early = Early::XFetchTurned { beta };
        }
        self
    }

    /// What the user asked for, as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full composition, with the parameters that differ from their defaults.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether any layer makes entries live longer (or, drawn anew for each, shorter) than the scenario's TTL says, so that no
    /// floor can be computed from it.
    #[must_use]
    pub fn lengthens_ttl(&self) -> bool {
        self.stretch() != (1.0, 1.0) || self.policy.soft != Span::Ttl(1.0)
    }

    /// The factor of each entry's lives under all cache layers: even over this interval, the shortest and the longest.
    pub(crate) fn stretch(&self) -> (f64, f64) {
        self.cache.iter().fold((1.0, 1.0), |(least, most), layer| {
            let (shorter, longer) = layer.stretch();
            (least + (shorter - 1.0), most + (longer - 1.0))
        })
    }

    /// How long "no such item" is remembered; zero where no layer says so.
    #[must_use]
    pub fn negative_life(&self) -> Duration {
        self.absent_life().unwrap_or_default()
    }

    /// How long "no such item" is stored; `None` where it is not.
    pub(crate) fn absent_life(&self) -> Option<Duration> {
        self.cache.iter().find_map(|layer| layer.absent_life())
    }

    /// How long an entry is fresh under this strategy on average, with all jitter.
    #[must_use]
    pub fn soft_life_mean(&self, ttl: Duration) -> Duration {
        let (least, most) = self.stretch();
        self.policy.life(ttl).scaled(f64::midpoint(least, most)).soft
    }

    /// How long an entry may be fresh under this strategy at most, with all jitter.
    #[must_use]
    pub fn soft_life_max(&self, ttl: Duration) -> Duration {
        self.policy.life(ttl).scaled(self.stretch().1).soft
    }

    /// The shortest time for which an entry is fresh under this strategy.
    #[must_use]
    pub fn shortest_life(&self, ttl: Duration) -> Duration {
        self.soft_life(ttl).mul_f64(self.stretch().0)
    }

    /// How long an entry is fresh under this strategy, before any jitter.
    #[must_use]
    pub fn soft_life(&self, ttl: Duration) -> Duration {
        self.policy.life(ttl).soft
    }
}

/// Makes a layer of one term, whatever is in the catalogue.
#[cfg(test)]
pub(crate) fn read_layer(info: &LayerInfo, term: &str) -> Result<Layer, String> {
    let terms = terms::parse(term)?;
    (info.make)(&Args::of(info, &terms[0])?)
}
