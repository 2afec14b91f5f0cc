//! The SPEC grammar: a strategy as a line of text, `swr(stale=5s) + coalesce + lock`.
//!
//! Text is parsed into plain terms, then converted once into this validated type; nothing downstream checks again. The
//! order on the command line does not matter: slots decide the order of work, so a wrong order cannot be written down.

mod args;
mod catalogue;
mod composition;
mod convert;
mod fit;
mod layer;
mod param;
mod promise;
mod span;
mod terms;
mod vary;

pub(crate) use args::Args;
pub use catalogue::{LAYERS, PRESETS, PresetInfo};
pub use composition::Spec;
pub use convert::SpecError;
pub use fit::Unfit;
pub use layer::{Alone, BreakerPromise, LayerInfo, Slot, WriteEffect};
pub(crate) use layer::{CacheLayer, FillLayer, Layer, OriginLayer, PolicySpec, WriteLayer};
pub use param::ParamInfo;
pub(crate) use param::Range;
pub use promise::{CopyPromise, Promise};
pub(crate) use span::Span;
pub(crate) use terms::parse as parse_terms;

pub(crate) use crate::fill::LockSettings;
pub use crate::stack::sabotage::{BROKEN, BrokenInfo};

/// Makes a layer of one term, whatever is in the catalogue.
#[cfg(test)]
pub(crate) fn read_layer(info: &LayerInfo, term: &str) -> Result<Layer, String> {
    let terms = terms::parse(term)?;
    (info.make)(&Args::of(info.name, info.params, &terms[0])?)
}
