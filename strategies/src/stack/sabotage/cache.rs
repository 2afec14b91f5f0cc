//! Caches that do not keep their contract.

use std::sync::Arc;
use std::time::Duration;

use super::BrokenInfo;
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Lookup, Removal, Stored, When};

/// The lease's put is not fenced.
pub(super) const UNFENCED: BrokenInfo = BrokenInfo {
    name: "broken-unfenced-lease",
    composition: "plain + lease",
    reason: "a holder that was frozen past its lease puts an old value over a new one",
    mistake: "a plain SET after a lock that may be lost, as in the APEE-LRM article",
    sabotage: |parts| wrap(&mut parts.ports.cache, false, true),
};

/// Neither a write's put nor a fill's looks at the version that is there.
pub(super) const UNORDERED: BrokenInfo = BrokenInfo {
    name: "broken-write-through-unordered",
    composition: "plain + lock + write-through",
    reason: "the last SET wins, not the last commit: an older value stays until the next write or the TTL",
    mistake: "UPDATE, then SET: two writers within a round trip, or a fill under way, and the order is lost",
    sabotage: |parts| wrap(&mut parts.ports.cache, false, true),
};

/// Stale values are served past their hard life.
pub(super) const STALE_FOR_EVER: BrokenInfo = BrokenInfo {
    name: "broken-stale-for-ever",
    composition: "swr(stale=1s) + lock",
    reason: "values are served past their hard life, for as long as the cache has them",
    mistake: "stale-while-revalidate that checks the soft TTL only",
    sabotage: |parts| wrap(&mut parts.ports.cache, true, false),
};

fn wrap(cache: &mut Arc<dyn Cache>, fences: bool, expires: bool) {
    *cache = Arc::new(Wrong { inner: Arc::clone(cache), fences, expires });
}

struct Wrong {
    inner: Arc<dyn Cache>,
    fences: bool,
    expires: bool,
}

impl Cache for Wrong {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let mut found = self.inner.get(key).await;
            if let (false, Ok(Lookup::Found(entry, _))) = (self.expires, &mut found) {
                entry.life.hard = Duration::MAX;
            }
            found
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        self.inner.put(key, entry, if self.fences { when } else { When::Always })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.remove(key, what)
    }
}
