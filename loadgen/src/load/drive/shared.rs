//! What all workers of a strategy share.

use std::sync::Arc;
use std::time::Duration;

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use scenarios::{Keys, LoadKind, OnDown, Plan};
use strategies::time::{Mono, nanos};
use tokio::sync::watch;

use super::pacer::Pace;
use super::retrying::Retrying;
use super::site::Site;
use crate::shell::part::PartOf;

/// Everything that the workers of one strategy share.
#[derive(Clone)]
pub struct Drive {
    /// Who asks for what.
    pub plan: Arc<Plan>,
    /// Which part of it is driven, where other processes drive the rest.
    pub part: Option<PartOf>,
    /// What makes the next request come.
    pub pattern: Pattern,
    /// Who is asked: replicas, or targets.
    pub sites: Vec<Arc<Site>>,
    /// What they are asked for.
    pub keys: Keys,
    /// Length of the warm-up.
    pub warmup: Duration,
    /// Length of the measured phase.
    pub duration: Duration,
    /// An attempt's time-out.
    pub timeout: Duration,
    /// What a client does whose replica is down.
    pub on_down: OnDown,
    /// Whether items are written meanwhile, so that the versions of answers matter.
    pub writes: bool,
    /// How clients try again, if they do.
    pub retrying: Retrying,
    /// The generator's clock.
    pub clock: RealClock,
    /// Wakes clients at their moments.
    pub pace: Pace,
    /// Asks everybody to stop early.
    pub stop: Shutdown,
}

/// What makes the next request come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// A client's own answer.
    Closed {
        /// How many clients there are: the most that are ever active.
        clients: u32,
    },
    /// The plan alone.
    Open,
}

impl From<&LoadKind> for Pattern {
    fn from(kind: &LoadKind) -> Self {
        kind.clients_max().map_or(Self::Open, |clients| Self::Closed { clients })
    }
}

/// When t = 0 is, on the generator's clock; `None` until that is known.
pub type StartSignal = watch::Receiver<Option<Mono>>;

impl Drive {
    /// Whether this is the scenario's hot key.
    #[must_use]
    pub fn is_hot(&self, key: u32) -> bool {
        self.keys.hot_key() == Some(key)
    }

    /// Whether the origin has no such item, so that 404 is the right answer.
    #[must_use]
    pub fn is_missing(&self, key: u32) -> bool {
        self.keys.is_missing(key)
    }

    /// Which site is asked after `site`, the `tried`th that was asked, where nobody may have listened; `None` where its answer stands.
    pub(super) fn next_site(&self, site: usize, tried: usize, found_nobody: bool) -> Option<usize> {
        let moves = self.on_down == OnDown::Next && self.sites.get(site).is_some_and(|site| site.is_replica());
        let next = (site + 1) % self.sites.len().max(1);
        (moves && tried < self.sites.len() && found_nobody).then_some(next)
    }

    /// The number of the first second that has requests.
    #[must_use]
    pub fn first_second(&self) -> i64 {
        let seconds = nanos(self.warmup).div_ceil(1_000_000_000);
        -i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// The number of the last second that has requests.
    #[must_use]
    pub fn last_second(&self) -> i64 {
        let seconds = nanos(self.duration).div_ceil(1_000_000_000);
        i64::try_from(seconds).unwrap_or(i64::MAX) - 1
    }
}
