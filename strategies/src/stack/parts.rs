//! The parts of a stack that sabotage may exchange before it is built.

use std::sync::Arc;

use crate::fill::{Fill, LoadFill};
use crate::layer::NearLayer;
use crate::policy::Early;
use crate::spec::WriteLayer;
use crate::stack::ports::Ports;

/// Puts a stack's fill layers around a fill.
pub(crate) type Around<'a> = &'a dyn Fn(Arc<dyn Fill>) -> Arc<dyn Fill>;

/// The parts.
pub(crate) struct Parts {
    /// The replica's, metered.
    pub(crate) ports: Ports,
    pub(crate) early: Early,
    /// Copies in the process.
    pub(crate) near: Option<NearLayer>,
    /// What is done to the cache when an item is written.
    pub(crate) write: Option<Arc<dyn WriteLayer>>,
    /// Makes the fill of the load and of what stands around it.
    pub(crate) fill: fn(LoadFill, Around<'_>) -> Arc<dyn Fill>,
}
