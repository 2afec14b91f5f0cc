//! What a stack sees of the cache: what all replicas share, and copies in front of it.

use std::sync::Arc;

use crate::layer::near::{self, Bounds};
use crate::layer::{Copies, NearLayer, own_cache};
use crate::port::Cache;
use crate::spec::Spec;
use crate::stack::ports::Ports;

/// The views.
pub(super) struct Views {
    /// What the replica keeps in its process.
    pub(super) copies: Arc<Copies>,
    /// What all replicas share, and what leaders and callers that wait look into.
    pub(super) shared: Arc<dyn Cache>,
    /// The same with copies in front of it.
    pub(super) cache: Arc<dyn Cache>,
}

impl Views {
    pub(super) fn of(spec: &Spec, near: Option<&NearLayer>, ports: &mut Ports) -> Self {
        let copies = Arc::new(match (near, spec.local) {
            (Some(near), _) => Copies::new(near.bounds, near.bus.is_some()),
            (None, Some(local)) => Copies::new(local.bounds, false),
            (None, None) => Copies::new(Bounds::NONE, false),
        });
        if spec.local.is_some() {
            ports.cache = own_cache(&copies, ports);
        }
        let innermost = Arc::clone(&ports.cache);
        let shared = spec.cache.iter().fold(innermost, |inner, layer| layer.around(inner, ports));
        let cache = match near {
            Some(layer) => near::near(layer, Arc::clone(&shared), Arc::clone(&copies), ports),
            None => Arc::clone(&shared),
        };
        Self { copies, shared, cache }
    }
}
