//! What makes a scenario's events happen in a world that is up, and heals it afterwards.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::process::runtime::RealClock;
use app::wire::control::StartReplica;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use report::record::{EventRow, LabEvent};
use scenarios::{Action, Ends, Scenario};
use strategies::port::Clock;
use strategies::time::Mono;

use super::changed::{Begun, ChangedServer, MovedSlots};
use super::{Aftermath, CacheFailureSpan, fault, over, row};
use crate::lab::Endpoints;
use crate::load::drive::Pace;

/// Makes the events of one strategy's run happen.
pub struct Injector<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The world.
    pub endpoints: &'a Endpoints,
    /// What each replica was started with, to start it with again.
    pub starts: Vec<StartReplica>,
    /// The generator's clock.
    pub clock: RealClock,
    /// t = 0.
    pub t0: Mono,
    pub(super) lives: Mutex<Vec<String>>,
    /// Keys that the server was made to grow by.
    pub(super) grown: Mutex<u32>,
    /// Settings of the server that are to be set back.
    pub(super) changed: tokio::sync::Mutex<Option<ChangedServer>>,
    /// Slots of a cluster that are to be given back.
    pub(super) moved: tokio::sync::Mutex<MovedSlots>,
    /// Whether a server is to be replaced.
    pub(super) lost: AtomicBool,
    told: Mutex<Aftermath>,
}

/// What is done at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Do(Action),
    Undo(Action),
}

/// Every event's beginning and end, in order of time.
fn steps(scenario: &Scenario) -> Vec<(Duration, Step)> {
    let mut steps: Vec<(Duration, Step)> = Vec::new();
    for event in &scenario.events {
        steps.push((event.at, Step::Do(event.action)));
        if event.action.kind.row().ends == Ends::ByTheLab {
            steps.push((event.over(), Step::Undo(event.action)));
        }
    }
    // What ends at a moment has ended before anything begins at it.
    steps.sort_by_key(|(at, step)| (*at, matches!(step, Step::Do(_))));
    steps
}

impl<'a> Injector<'a> {
    /// An injector for replicas of these incarnations.
    #[must_use]
    pub fn new(
        scenario: &'a Scenario,
        endpoints: &'a Endpoints,
        starts: Vec<StartReplica>,
        lives: Vec<String>,
        clock: RealClock,
        t0: Mono,
    ) -> Self {
        Self {
            scenario,
            endpoints,
            starts,
            clock,
            t0,
            lives: Mutex::new(lives),
            grown: Mutex::default(),
            changed: tokio::sync::Mutex::default(),
            moved: tokio::sync::Mutex::default(),
            lost: AtomicBool::default(),
            told: Mutex::default(),
        }
    }

    /// Makes the events happen, one after the other. May be dropped at any await: what has not happened by then does not,
    /// and what has not been undone is [`Injector::heal`]'s.
    pub async fn inject(&self, pace: &Pace) {
        let mut under_way = FuturesUnordered::new();
        for (at, step) in steps(self.scenario) {
            let mut due = std::pin::pin!(pace.until(self.t0.plus(at)));
            loop {
                tokio::select! {
                    () = &mut due => break,
                    Some(()) = under_way.next() => {}
                }
            }
            let (action, done) = match step {
                Step::Do(action) if action.kind.row().ends == Ends::WhenSeen => {
                    match self.begin_at_nodes(&action).await {
                        Ok(begun) => {
                            under_way.push(self.see_the_end(action, begun));
                            (action, Ok((action.sentence(None), None)))
                        }
                        Err(why) => (action, Err(why)),
                    }
                }
                Step::Do(action) => (action, self.act(&action).await),
                Step::Undo(action) => (action, self.undo(&action).await),
            };
            let now = self.now_ns();
            let told = match (done, step) {
                (Ok((detail, replica)), Step::Do(_)) => fault(now, &action, detail, replica),
                (Ok((detail, replica)), Step::Undo(_)) => {
                    EventRow { replica, ..row(now, LabEvent::FaultOver, &action, detail) }
                }
                (Err(why), _) => row(now, LabEvent::FaultFailed, &action, why),
            };
            self.told().rows.push(told);
        }
        while under_way.next().await.is_some() {}
    }

    async fn see_the_end(&self, action: Action, begun: Begun) {
        let (at_ns, said) = self.end_at_nodes(&action, begun).await;
        self.told().rows.push(match said {
            Ok(detail) => over(at_ns, &action, detail),
            Err(why) => row(at_ns, LabEvent::FaultFailed, &action, why),
        });
    }

    /// Makes everything whole again, whatever was done and not undone.
    ///
    /// # Errors
    /// A sentence with what stayed broken, and the remedy.
    pub async fn heal(&self) -> Result<(), String> {
        self.mend_nodes().await?;
        self.set_server_back().await?;
        self.shrink_server().await?;
        match &self.endpoints.stack {
            Some(stack) if !self.scenario.events.is_empty() => self.heal_stack(stack).await,
            _ => Ok(()),
        }
    }

    /// What the events did.
    #[must_use]
    pub fn aftermath(self) -> Aftermath {
        self.told.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn act(&self, action: &Action) -> Result<(String, Option<u32>), String> {
        if let Some(stack) = &self.endpoints.stack
            && let Some(done) = self.act_on_stack(stack, action).await
        {
            return done;
        }
        if let Some(done) = self.act_on_server(action).await {
            return done;
        }
        self.act_by_control(action).await.map(|()| (action.sentence(None), None))
    }

    async fn undo(&self, action: &Action) -> Result<(String, Option<u32>), String> {
        match &self.endpoints.stack {
            Some(stack) => self.undo_on_stack(stack, action).await,
            None if action.kind.row().lab.is_server() => self.undo_on_server().await,
            None => Err("this lab can't do that".into()),
        }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Aftermath> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now_ns(&self) -> i64 {
        i64::try_from(i128::from(self.clock.mono().0) - i128::from(self.t0.0)).unwrap_or(i64::MAX)
    }

    /// From now on cache operations may fail.
    pub(super) fn span(&self, replica: Option<u32>) {
        let from_ns = self.now_ns();
        self.told().spans.push(CacheFailureSpan { from_ns, to_ns: None, replica });
    }

    /// They may not any more.
    pub(super) fn end_span(&self, replica: Option<u32>) {
        let now = self.now_ns();
        let mut told = self.told();
        for span in told.spans.iter_mut().filter(|span| span.replica == replica) {
            span.to_ns.get_or_insert(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use scenarios::Scenario;

    use super::*;

    #[test]
    fn what_lasts_is_undone_at_its_end_and_before_what_begins_then() {
        let (_, text) = scenarios::shipped().iter().find(|(name, _)| *name == "hotkey").unwrap();
        let events = "
[[event]]
at = \"5s\"
do = \"cache-pause\"
for = \"2s\"
[[event]]
at = \"7s\"
do = \"replica-kill\"
[[event]]
at = \"1s\"
do = \"origin-fail\"
for = \"1s\"
";
        let scenario = Scenario::parse(&format!("{text}{events}"), "mine.toml", &[]).unwrap();
        let steps: Vec<(u64, bool)> =
            steps(&scenario).iter().map(|(at, step)| (at.as_secs(), matches!(step, Step::Do(_)))).collect();
        assert_eq!(steps, [(1, true), (5, true), (7, false), (7, true)]);
    }
}
