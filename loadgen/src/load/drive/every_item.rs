//! Every item of a server asked for once: how the cache of a service that nobody can tell to fill it is filled.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use app::process::runtime::RealClock;
use evidence::ErrorKind;
use futures_util::future::try_join_all;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::task::LocalSet;

use super::connection::Connection;
use super::pacer::Pace;
use super::probe::Unanswered;
use super::site::Site;

/// How servers are asked for every item.
pub struct EveryItem {
    /// Items 1 to this.
    pub items: u32,
    /// Requests that are under way at once, at most; each has a connection of its own.
    pub at_once: u32,
    /// A request's time-out.
    pub timeout: Duration,
    /// From the start of a request to that of the next, at least; nothing where they need not wait.
    pub between: Option<Duration>,
    /// Our clock.
    pub clock: RealClock,
    /// Wakes them at their moments.
    pub pace: Pace,
}

/// An item that was not answered with a 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemUnanswered {
    /// Which one.
    pub item: u32,
    /// What came instead.
    pub unanswered: Unanswered,
}

/// What the askers of one server share: the next item, and the moment before which nobody asks.
struct Next {
    item: Cell<u32>,
    not_before: Cell<Mono>,
}

impl EveryItem {
    /// Asks a server for every item, not before `from`. When the last answer came, and before when no other request may be sent.
    ///
    /// # Errors
    /// The first item that was not answered well; what is under way then is given up.
    pub async fn ask(&self, site: &Arc<Site>, from: Mono) -> Result<(Mono, Mono), ItemUnanswered> {
        let next = Next { item: Cell::new(0), not_before: Cell::new(from) };
        let askers = (0..self.at_once.min(self.items)).map(|_| self.asker(site, &next));
        let ended = LocalSet::new().run_until(try_join_all(askers)).await?;
        Ok((ended.into_iter().max().unwrap_or(from), next.not_before.get()))
    }

    /// Asks for one item after the other until there is none left; when the last answer came.
    async fn asker(&self, site: &Arc<Site>, next: &Next) -> Result<Mono, ItemUnanswered> {
        let mut connection = Connection::to(site, self.timeout);
        let mut answered = Mono(0);
        while next.item.get() < self.items {
            let item = next.item.get() + 1;
            next.item.set(item);
            self.turn(next).await;
            let came = connection.probe(item).await;
            answered = self.clock.mono();
            let failed = |kind, why| ItemUnanswered { item, unanswered: Unanswered { kind, why } };
            let probed = came.map_err(|kind| failed(kind, connection.why()))?;
            if !(200..300).contains(&probed.status) {
                return Err(failed(ErrorKind::Http(probed.status), None));
            }
        }
        Ok(answered)
    }

    /// Waits for a request's turn, where they are held to a rate.
    async fn turn(&self, next: &Next) {
        let Some(between) = self.between else { return };
        let at = next.not_before.get().max(self.clock.mono());
        next.not_before.set(at.plus(between));
        self.pace.until(at).await;
    }
}
