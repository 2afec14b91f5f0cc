//! Where a cluster's node sends a command elsewhere, and how long commands took that were sent elsewhere.
//!
//! The lab sends them itself, and has the client library send nothing twice: the library would also send again what was perhaps carried out
//! (a connection that was lost after `INCR` would count twice), and of what it follows it tells nobody. A command that was answered with
//! `MOVED`, `ASK` or `TRYAGAIN` was not carried out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use evidence::{CommandTimes, RedirectCounts};
use hdrhistogram::Histogram;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The longest time that is told apart from longer ones; an operation's own limit is far below it.
const LONGEST_NS: u64 = 60_000_000_000;
/// The shortest one.
const SHORTEST_NS: u64 = 100;

/// What a node answered instead of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Redirection {
    /// The slot is another's.
    Moved,
    /// The slot is on its way, and the key is there already.
    Ask,
    /// The slot is on its way, and of several keys some are there.
    TryAgain,
}

/// A redirection, and what the node said of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) what: Redirection,
    /// `host:port` of the node that it named.
    pub(super) node: Option<String>,
    /// A transaction was refused for it, of which the client library learns nothing from that.
    pub(super) in_transaction: bool,
}

impl Told {
    /// What an error says, where it is a redirection: of a command's, or of one in a transaction that was discarded for it.
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let what = |kind| match kind {
            ServerErrorKind::Moved => Some(Redirection::Moved),
            ServerErrorKind::Ask => Some(Redirection::Ask),
            ServerErrorKind::TryAgain => Some(Redirection::TryAgain),
            _ => None,
        };
        let ErrorKind::Server(kind) = error.kind() else { return None };
        if let Some(what) = what(kind) {
            let node = error.redirect_node().map(|(node, _)| node.to_owned());
            return Some(Self { what, node, in_transaction: false });
        }
        if kind != ServerErrorKind::ExecAbort {
            return None;
        }
        let all = error.clone().into_server_errors()?;
        let (what, said) = all.iter().find_map(|(_, said)| Some((what(said.kind()?)?, said)))?;
        let node = said.details().and_then(|detail| detail.split_ascii_whitespace().nth(1)).map(str::to_owned);
        Some(Self { what, node, in_transaction: true })
    }
}

/// What a cluster's nodes told instead of replies since the link was made, and how long commands took.
#[derive(Default)]
pub(super) struct Redirects(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    counts: RedirectCounts,
    /// Of commands that were answered at once.
    plain: Times,
    /// Of the others, by the gravest that they met: in the order of [`Redirection`].
    sent_on: [Times; 3],
}

struct Times(Histogram<u64>);

impl Default for Times {
    #[allow(clippy::expect_used, reason = "the bounds are constants")]
    fn default() -> Self {
        Self(Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, 3).expect("bounds"))
    }
}

impl Redirects {
    /// Counts a redirection.
    pub(super) fn met(&self, what: Redirection) {
        let counts = &mut self.seen().counts;
        *match what {
            Redirection::Moved => &mut counts.moved,
            Redirection::Ask => &mut counts.ask,
            Redirection::TryAgain => &mut counts.try_again,
        } += 1;
    }

    /// Counts the time of a command that had its reply, with the gravest that it met before.
    pub(super) fn replied(&self, gravest: Option<Redirection>, took: Duration) {
        let mut seen = self.seen();
        let Seen { plain, sent_on, .. } = &mut *seen;
        let times = match gravest {
            None => plain,
            Some(Redirection::Moved) => &mut sent_on[0],
            Some(Redirection::Ask) => &mut sent_on[1],
            Some(Redirection::TryAgain) => &mut sent_on[2],
        };
        times.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(super) fn counts(&self) -> RedirectCounts {
        self.seen().counts
    }

    pub(super) fn times(&self) -> CommandTimes {
        let seen = self.seen();
        let of =
            |times: &Times| times.0.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value())).collect();
        let [moved, ask, try_again] = &seen.sent_on;
        CommandTimes { plain: of(&seen.plain), moved: of(moved), ask: of(ask), try_again: of(try_again) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_apart_by_what_a_command_met() {
        let redirects = Redirects::default();
        redirects.met(Redirection::Ask);
        redirects.met(Redirection::Moved);
        redirects.replied(Some(Redirection::Ask), Duration::from_micros(100));
        redirects.replied(None, Duration::from_micros(10));
        redirects.replied(None, Duration::from_micros(10));
        redirects.replied(Some(Redirection::TryAgain), Duration::MAX);
        assert_eq!(redirects.counts(), RedirectCounts { moved: 1, ask: 1, try_again: 0 });
        let CommandTimes { plain, moved, ask, try_again } = redirects.times();
        let counts = [&plain, &moved, &ask, &try_again].map(|of| of.values().sum::<u64>());
        assert_eq!(counts, [2, 0, 1, 1]);
        assert!(plain.keys().all(|ns| (10_000..10_200).contains(ns)), "{plain:?}");
    }
}
