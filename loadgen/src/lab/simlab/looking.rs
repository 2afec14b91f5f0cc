//! The simulated cache's counters, looked at while the load goes on.

use std::cell::RefCell;
use std::rc::Rc;

use scenarios::Scenario;
use sim::CacheSampler;
use strategies::Key;
use strategies::counter::CounterSpec;
use strategies::time::nanos;

use super::tapes::since_start;
use crate::lab::trial::counting::look_every;
use crate::load::measure::{CounterSample, Immortals};

/// Looks at every counter in the cache.
pub(super) fn looks(scenario: &Scenario, spec: &CounterSpec, immortals: Rc<RefCell<Immortals>>) -> CacheSampler {
    let parts = |item| (item, spec.keys(&Key::of_item(item)));
    let keys: Vec<(u32, Vec<Key>)> = (1..=scenario.keys.existing()).map(parts).collect();
    let (every_ns, mut next_ns) = (since_start(nanos(look_every(scenario, spec))), i64::MIN);
    Box::new(move |at_ns, cache| {
        if at_ns < next_ns {
            return;
        }
        next_ns = at_ns.saturating_add(every_ns);
        let mut immortals = immortals.borrow_mut();
        for (item, parts) in &keys {
            let endless = |part| cache.memory().counter(part).is_some_and(|held| held.left.is_none());
            immortals.sample(CounterSample { at_ns, key: *item, endless: parts.iter().any(endless) });
        }
        immortals.round(at_ns);
    })
}
