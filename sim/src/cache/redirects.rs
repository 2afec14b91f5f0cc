//! Commands that a cluster's servers send elsewhere: how often, and how long they took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use evidence::{CommandTimes, RedirectCounts};
use strategies::Key;
use strategies::port::{CacheError, CacheErrorClass};
use strategies::time::{Mono, nanos};

use super::link::Link;
use super::slots::{Place, SentOn};
use super::work::Carried;
use super::{CacheServer, failed, no_reply};

/// How long a client pauses after `TRYAGAIN`, twice as long each time: as the Redis adapter does.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(16);

/// What all replicas were told instead of replies, and how long their commands took.
#[derive(Debug, Default)]
pub(crate) struct SimRedirects(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    counts: RedirectCounts,
    times: CommandTimes,
}

impl SimRedirects {
    fn met(&self, what: SentOn) {
        let counts = &mut self.seen().counts;
        *match what {
            SentOn::Moved => &mut counts.moved,
            SentOn::Ask => &mut counts.ask,
            SentOn::TryAgain => &mut counts.try_again,
        } += 1;
    }

    /// Counts the time of a command that had its reply, with the gravest that it met before.
    pub(super) fn replied(&self, gravest: Option<SentOn>, took: Duration) {
        let times = &mut self.seen().times;
        let of = match gravest {
            None => &mut times.plain,
            Some(SentOn::Moved) => &mut times.moved,
            Some(SentOn::Ask) => &mut times.ask,
            Some(SentOn::TryAgain) => &mut times.try_again,
        };
        // Three figures, upwards: as a histogram has it.
        let ns = nanos(took).max(1);
        let step = 10_u64.pow(ns.ilog10().saturating_sub(2));
        *of.entry(ns.div_ceil(step) * step).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> RedirectCounts {
        self.seen().counts
    }

    pub(crate) fn times(&self) -> CommandTimes {
        self.seen().times.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheServer {
    /// Waits until a replica's command has come to the server that carries it out; the gravest that it was told on its way. An error where
    /// none does within its time.
    pub(super) async fn find(
        &self,
        (replica, link): (u16, &Link),
        keys: &[Key],
        deadline: Mono,
    ) -> Result<Option<SentOn>, CacheError> {
        let (mut gravest, mut pause) = (None, PAUSE_FIRST);
        loop {
            let now = self.world.now();
            match self.work.slots.place(replica, keys, now, |key| self.memory.has(key)) {
                Place::Here => return Ok(gravest),
                Place::Lost { silent: true, .. } => {
                    self.world.sleep_until(deadline).await;
                    return Err(no_reply());
                }
                Place::Lost { .. } => return Err(failed(CacheErrorClass::Down, "connection refused")),
                Place::Elsewhere { asked, what } => {
                    self.redirects.met(what);
                    gravest = gravest.max(Some(what));
                    self.toil(asked, Carried::default()).await;
                    let again = match what {
                        SentOn::TryAgain => pause,
                        SentOn::Moved | SentOn::Ask => Duration::ZERO,
                    };
                    pause = (pause * 2).min(PAUSE_MAX);
                    if !self.round_trip(link, again, deadline).await {
                        self.world.sleep_until(deadline).await;
                        return Err(match what {
                            SentOn::TryAgain => failed(CacheErrorClass::Moved, "TRYAGAIN"),
                            SentOn::Moved | SentOn::Ask => no_reply(),
                        });
                    }
                    if what != SentOn::TryAgain {
                        return Ok(gravest);
                    }
                }
            }
        }
    }

    /// What a server said goes back, and the command comes again, after a pause; `false` where that does not happen in time.
    async fn round_trip(&self, link: &Link, pause: Duration, deadline: Mono) -> bool {
        for (way, pause) in [(&link.back, pause), (&link.there, Duration::ZERO)] {
            let Some(at) = way.deliver(self.world.now()).map(|at| at.plus(pause)).filter(|at| *at <= deadline) else {
                return false;
            };
            self.world.sleep_until(at).await;
        }
        true
    }

    /// Whether any command may be sent elsewhere, or find nobody.
    pub(super) fn may_send_on(&self) -> bool {
        !self.work.slots.is_quiet()
    }

    /// Notes how long a command to a cluster took.
    pub(super) fn replied(self: &Arc<Self>, gravest: Option<SentOn>, took: Duration) {
        if self.work.slots.shards() > 1 {
            self.redirects.replied(gravest, took);
        }
    }
}
