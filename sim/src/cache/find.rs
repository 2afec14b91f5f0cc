//! A command's way to the server of a cluster that carries it out.

use std::sync::Arc;
use std::time::Duration;

use strategies::Key;
use strategies::port::{CacheError, CacheErrorClass};
use strategies::time::Mono;

use super::link::Link;
use super::replica::NodeRole;
use super::slots::{CommandPlace, SentOn};
use super::work::Carried;
use super::{CacheServer, failed, no_reply};

/// How long a client pauses after `TRYAGAIN`, twice as long each time: as the Redis adapter does.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(16);

impl CacheServer {
    /// Waits until a replica's command has come to the server that carries it out; the gravest that it was told on its way. An error where
    /// none does within its time.
    pub(super) async fn find(
        &self,
        (replica, link): (u16, &Link),
        (keys, at): (&[Key], NodeRole),
        deadline: Mono,
    ) -> Result<Option<SentOn>, CacheError> {
        let (mut gravest, mut pause) = (None, PAUSE_FIRST);
        loop {
            let now = self.world.now();
            let place = match (at, keys.first()) {
                (NodeRole::Replica, Some(first)) => self.work.slots.place_at_replica(replica, first, now),
                _ => self.work.slots.place(replica, keys, now, |key| self.memory.has(key)),
            };
            match place {
                CommandPlace::Here => return Ok(gravest),
                CommandPlace::Lost { silent: true, .. } => {
                    self.world.sleep_until(deadline).await;
                    return Err(no_reply());
                }
                CommandPlace::Lost { .. } => return Err(failed(CacheErrorClass::Down, "connection refused")),
                CommandPlace::Elsewhere { asked, what } => {
                    self.redirects.met(what);
                    gravest = gravest.max(Some(what));
                    self.toil(self.work.node(asked, at), Carried::default()).await;
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
