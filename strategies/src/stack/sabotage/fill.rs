//! Fills that leave out, or go around, what protects the origin.

use std::sync::Arc;

use super::BrokenInfo;
use crate::fill::{Cx, Fill, Filled, LoadFill, Mode, Want};
use crate::port::BoxFuture;
use crate::port::error::GetError;
use crate::port::key::Key;

/// The winner of the lock loads without looking into the cache again.
pub(super) const NO_REREAD: BrokenInfo = BrokenInfo {
    name: "broken-lock-no-reread",
    composition: "plain + lock",
    reason: "those who wait for the lock rebuild one after the other: a queue instead of a herd",
    mistake: "\"acquire, then compute\" without a second look, as in most lock snippets",
    sabotage: |parts| parts.fill = |load, around| around(Arc::new(LoadFill { reread: false, ..load })),
};

/// Losers of the lock load, too.
pub(super) const LOSERS_LOAD: BrokenInfo = BrokenInfo {
    name: "broken-losers-load",
    composition: "plain + lock(wait=0s, on_timeout=load)",
    reason: "the lock is taken and protects nothing: losers read the origin at once",
    mistake: "falling through to the database where SET NX says no",
    // Nothing needs to be wrapped: this can be composed.
    sabotage: |_| {},
};

/// Only refreshes take the lock: a caller that has nothing to serve loads at once.
pub(super) const UNPROTECTED: BrokenInfo = BrokenInfo {
    name: "broken-swr-unprotected-fill",
    composition: "swr + lock",
    reason: "one refreshes what is stale, and everybody fills what is not there: a new key, a cleared cache",
    mistake: "stale-while-revalidate whose lock stands around the refresh only, as in Laravel's Cache::flexible",
    sabotage: |parts| {
        parts.fill = |load, around| {
            let refresh = around(Arc::new(load.clone()));
            Arc::new(Unprotected { first: LoadFill { reread: false, ..load }, refresh })
        };
    },
};

struct Unprotected {
    first: LoadFill,
    refresh: Arc<dyn Fill>,
}

impl Fill for Unprotected {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>> {
        match want.mode {
            Mode::Wait => self.first.fill(cx, key, want),
            Mode::Try => self.refresh.fill(cx, key, want),
        }
    }
}
