//! What a replica of a server has not heard of yet.

use std::collections::VecDeque;
use std::time::Duration;

use strategies::Key;
use strategies::time::Mono;

/// When a replica on loopback has heard of a write. A client that asks it right after the primary's reply finds what it wrote (`cargo bench -p app
/// --bench replica_lag`), so the write takes no longer than the two ways between: 40 µs at least (`Latencies::LOOPBACK`).
const HEARS_AFTER: Duration = Duration::from_micros(30);

/// Which of a shard's two servers carries a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeRole {
    Primary,
    Replica,
}

/// Changes that a replica will hear of, with what there was before each.
pub(super) struct Unheard<V> {
    changes: VecDeque<(Mono, Key, Option<V>)>,
}

impl<V> Default for Unheard<V> {
    fn default() -> Self {
        Self { changes: VecDeque::new() }
    }
}

impl<V> Unheard<V> {
    /// A key changes; `before` is what there was of it.
    pub(super) fn changes(&mut self, key: &Key, before: Option<V>, now: Mono) {
        self.hear(now);
        self.changes.push_back((now, key.clone(), before));
    }

    /// What a replica has of a key that it has not heard the last of: `None` where it knows all.
    pub(super) fn before(&mut self, key: &Key, now: Mono) -> Option<Option<&V>> {
        self.hear(now);
        self.changes.iter().find(|(_, changed, _)| changed == key).map(|(_, _, before)| before.as_ref())
    }

    /// It has heard all at once: of everything that is gone, or of another state altogether.
    pub(super) fn heard_all(&mut self) {
        self.changes.clear();
    }

    fn hear(&mut self, now: Mono) {
        while self.changes.front().is_some_and(|(at, ..)| at.plus(HEARS_AFTER) <= now) {
            self.changes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_has_what_there_was_until_it_hears_what_came() {
        let mut unheard = Unheard::default();
        let [one, two] = [Key::of_item(1), Key::of_item(2)];
        unheard.changes(&one, None, Mono(0));
        unheard.changes(&one, Some("first"), Mono(20_000));
        assert_eq!(unheard.before(&one, Mono(25_000)), Some(None), "it has heard of neither");
        assert_eq!(unheard.before(&one, Mono(30_000)), Some(Some(&"first")), "and now of the first");
        assert_eq!(unheard.before(&two, Mono(30_000)), None);
        assert_eq!(unheard.before(&one, Mono(50_000)), None);
    }
}
