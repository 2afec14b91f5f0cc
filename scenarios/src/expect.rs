//! From a scenario to the circumstances that theory speaks of.

use strategies::Spec;
use strategies::theory::{Circumstances, Prediction, Readers, predict};

use crate::keys::KeyKind;
use crate::law::Law;
use crate::load::LoadKind;
use crate::scenario::Scenario;

impl Scenario {
    /// What theory predicts of the hot key under a strategy. `None` where the scenario has no hot key, its load ramps, events
    /// disturb it, or the origin's service time varies, and where no formula covers the strategy.
    #[must_use]
    pub fn predict(&self, spec: &Spec, replicas: u32) -> Option<Prediction> {
        let share = match self.keys.kind {
            KeyKind::Hot { share } => share,
            KeyKind::Single => 1.0,
            KeyKind::Uniform | KeyKind::Zipf { .. } => return None,
        };
        let share = share * (1.0 - self.keys.missing_share);
        let Law::Constant(service) = self.origin.service_time else { return None };
        let readers = match &self.load.kind {
            LoadKind::Open { rate_per_s, ramps, .. } if ramps.is_empty() => Readers::Open { per_s: rate_per_s * share },
            LoadKind::Open { .. } => return None,
            LoadKind::Closed { clients, think } => {
                let constant = matches!(think, Law::Constant(_));
                let known = constant || matches!(think, Law::Exponential { .. });
                known.then_some(Readers::Closed { clients: *clients, think: think.mean(), constant, share })?
            }
        };
        let places = self.origin.concurrency;
        let at = Circumstances { readers, ttl: self.cache.ttl, service, replicas, places };
        self.events.is_empty().then(|| predict(spec, &at))?
    }
}
