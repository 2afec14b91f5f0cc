//! A strategy in its circumstances, with all that was computed of it.

use super::circumstances::Circumstances;
use super::count::Counts;
use super::cycle::Cycle;
use super::layers::Layers;

/// A strategy in its circumstances: what premises are checked against.
pub(super) struct StrategyCase<'a> {
    pub(super) at: &'a Circumstances,
    pub(super) layers: Layers,
    pub(super) cycle: Cycle,
    pub(super) counts: Counts,
}
