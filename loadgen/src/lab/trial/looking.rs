//! The server's counters, looked at through a replica while the load goes on.

use std::cell::RefCell;

use app::wire::control::{EndlessCounters, LookAtCounters};
use app::wire::control_client::ControlClient;
use strategies::port::Clock;
use strategies::time::Mono;

use super::counting::look_every;
use super::runner::TrialRunner;
use crate::cli::settings::Subject;
use crate::load::measure::{CounterSample, Immortals};

impl TrialRunner<'_> {
    /// Looks again and again, without an end; a look that fails (an event has the replica or its cache) is no sample.
    pub(super) async fn look<T>(&self, subject: &Subject, t0: Mono, immortals: &RefCell<Immortals>) -> T {
        let scenario = &self.settings.scenario;
        let Some((spec, replica)) = subject.counter.as_ref().zip(self.endpoints.replicas.first()) else {
            return std::future::pending().await;
        };
        let every = look_every(scenario, spec);
        let mut next = self.clock.mono();
        loop {
            next = next.plus(every);
            self.pacer.handle().until(next).await;
            if let Some(items) = endless(replica, scenario.keys.existing()).await {
                let at_ns = super::runner::since_ns(self.clock.mono(), t0);
                let mut immortals = immortals.borrow_mut();
                items.into_iter().for_each(|key| immortals.sample(CounterSample { at_ns, key, endless: true }));
                immortals.round(at_ns);
            }
        }
    }
}

async fn endless(replica: &ControlClient, items: u32) -> Option<Vec<u32>> {
    let found: Result<EndlessCounters, _> = replica.post("/endless", &LookAtCounters { items }).await;
    found.ok().map(|found| found.items)
}
