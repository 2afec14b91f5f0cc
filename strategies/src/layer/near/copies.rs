//! The copies of a process: bounded by number and by bytes, the one that was used longest ago goes first; and the marks of reads that
//! are under way.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::kit::time::Mono;
use crate::port::entry::Entry;
use crate::port::key::Key;

/// How much may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) entries: u32,
    pub(crate) bytes: u32,
}

impl Bounds {
    /// None at all: for a mistake.
    pub(crate) const NONE: Self = Self { entries: u32::MAX, bytes: u32::MAX };
}

/// What a copy takes beside its key and its value, bytes: the entry, and its place in the table and in the order of use.
const OVERHEAD: u64 = 256;

/// What became of a process's copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NearCounters {
    /// Changes that were heard.
    pub heard: u64,
    /// Changes that were told to the others.
    pub told: u64,
    /// Times that all copies went, because changes may have been missed.
    pub flushed: u64,
    /// Replies that a change overtook: they are not kept (or, where that is the mistake, are).
    pub overtaken: u64,
    /// Copies that went for want of room.
    pub evicted: u64,
    /// The most copies at a time.
    pub entries_max: u64,
    /// The most bytes at a time.
    pub bytes_max: u64,
}

impl NearCounters {
    /// Of both, kept side by side: of what is a most, the sum, which is no less than the most of both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            heard: self.heard + other.heard,
            told: self.told + other.told,
            flushed: self.flushed + other.flushed,
            overtaken: self.overtaken + other.overtaken,
            evicted: self.evicted + other.evicted,
            entries_max: self.entries_max + other.entries_max,
            bytes_max: self.bytes_max + other.bytes_max,
        }
    }
}

/// Copies, by key.
pub(crate) struct Copies(Mutex<Kept>);

struct Kept {
    copies: LruCache<Key, HeldCopy>,
    bounds: Bounds,
    bytes: u64,
    /// Of each key the reads that are under way and that no change has overtaken.
    marks: BTreeMap<Key, Vec<u64>>,
    next_mark: u64,
    /// Whether changes are heard, where they are to be: what is not, is not kept.
    hears: bool,
    counters: NearCounters,
}

/// A copy, and until when it may be used.
#[derive(Debug, Clone)]
pub(crate) struct HeldCopy {
    pub(crate) entry: Entry,
    pub(crate) until: Mono,
}

/// The mark of a read that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Copies {
    /// None yet. Where changes are to be `heard`, nothing is kept before that begins.
    pub(crate) fn new(bounds: Bounds, heard: bool) -> Self {
        Self(Mutex::new(Kept {
            copies: LruCache::unbounded(),
            bounds,
            bytes: 0,
            marks: BTreeMap::new(),
            next_mark: 0,
            hears: !heard,
            counters: NearCounters::default(),
        }))
    }

    /// The copy of a key, whatever its age.
    pub(crate) fn look_up(&self, key: &Key) -> Option<HeldCopy> {
        self.kept().copies.get(key).cloned()
    }

    /// A read of the key is sent now.
    pub(crate) fn mark(&self, key: &Key) -> Mark {
        let mut kept = self.kept();
        kept.next_mark += 1;
        let mark = Mark(kept.next_mark);
        kept.marks.entry(key.clone()).or_default().push(mark.0);
        mark
    }

    /// It has come to nothing that is to be kept.
    pub(crate) fn unmark(&self, key: &Key, mark: Mark) {
        self.kept().take(key, mark);
    }

    /// Keeps what a read or a put brought, unless a change overtook it and `marks` says that this matters, or a newer version is there.
    pub(crate) fn keep(&self, key: &Key, mark: Mark, copy: HeldCopy, marks: bool) {
        let mut kept = self.kept();
        let stands = kept.take(key, mark);
        kept.counters.overtaken += u64::from(!stands);
        if !kept.hears || (marks && !stands) {
            return;
        }
        if kept.copies.peek(key).is_some_and(|held| held.entry.version > copy.entry.version) {
            return;
        }
        kept.insert(key, copy);
    }

    /// The same without a mark: what has no other place than here.
    pub(crate) fn insert(&self, key: &Key, copy: HeldCopy) {
        self.kept().insert(key, copy);
    }

    /// A key has changed.
    pub(crate) fn heard(&self, key: &Key) {
        let mut kept = self.kept();
        kept.counters.heard += 1;
        kept.forget(key);
    }

    /// A key is not to be kept any more.
    pub(crate) fn forget(&self, key: &Key) {
        self.kept().forget(key);
    }

    /// Changes may have been missed: nothing that is kept can be relied on.
    pub(crate) fn flush(&self) {
        let mut kept = self.kept();
        kept.counters.flushed += 1;
        kept.clear();
    }

    /// From now on changes are heard.
    pub(crate) fn hears(&self) {
        let mut kept = self.kept();
        kept.clear();
        kept.hears = true;
    }

    /// A change was told to the others.
    pub(crate) fn told(&self) {
        self.kept().counters.told += 1;
    }

    /// What became of them so far.
    pub(crate) fn counters(&self) -> NearCounters {
        self.kept().counters
    }

    /// A poisoned lock is as good as any: every critical section leaves its value whole.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Takes a mark away, and tells whether it was still there.
    fn take(&mut self, key: &Key, mark: Mark) -> bool {
        let Some(of_key) = self.marks.get_mut(key) else { return false };
        let before = of_key.len();
        of_key.retain(|one| *one != mark.0);
        let stood = of_key.len() < before;
        if of_key.is_empty() {
            self.marks.remove(key);
        }
        stood
    }

    fn insert(&mut self, key: &Key, copy: HeldCopy) {
        let size = size_of(key, &copy);
        self.bytes += size;
        if let Some(before) = self.copies.put(key.clone(), copy) {
            self.bytes -= size_of(key, &before);
        }
        let (entries, bytes) = (self.bounds.entries as usize, u64::from(self.bounds.bytes));
        while self.copies.len() > entries || (self.bytes > bytes && self.bounds != Bounds::NONE) {
            let Some((key, copy)) = self.copies.pop_lru() else { break };
            self.bytes -= size_of(&key, &copy);
            self.counters.evicted += 1;
        }
        self.counters.entries_max = self.counters.entries_max.max(self.copies.len() as u64);
        self.counters.bytes_max = self.counters.bytes_max.max(self.bytes);
    }

    fn forget(&mut self, key: &Key) {
        self.marks.remove(key);
        if let Some(copy) = self.copies.pop(key) {
            self.bytes -= size_of(key, &copy);
        }
    }

    fn clear(&mut self) {
        self.marks.clear();
        self.copies.clear();
        self.bytes = 0;
    }
}

fn size_of(key: &Key, copy: &HeldCopy) -> u64 {
    let value = copy.entry.value.as_ref().map_or(0, bytes::Bytes::len);
    OVERHEAD + key.as_str().len() as u64 + value as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::kit::time::Wall;
    use crate::port::entry::Life;

    fn copy(version: u64, size: usize) -> HeldCopy {
        let life = Life::new(Duration::from_secs(60), Duration::ZERO);
        let value = Some(Bytes::from(vec![b'x'; size]));
        let entry = Entry { value, version, read_at: Wall(0), stored_at: Wall(0), life, delta: Duration::ZERO };
        HeldCopy { entry, until: Mono(1) }
    }

    fn keep(copies: &Copies, key: &Key, kept: HeldCopy) {
        copies.keep(key, copies.mark(key), kept, true);
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_by_number_and_by_bytes() {
        let keys: Vec<Key> = (1..=4).map(Key::of_item).collect();
        let there =
            |copies: &Copies| keys.iter().map(|key| copies.0.lock().unwrap().copies.contains(key)).collect::<Vec<_>>();
        let by_number = Copies::new(Bounds { entries: 2, bytes: u32::MAX }, false);
        keep(&by_number, &keys[0], copy(1, 10));
        keep(&by_number, &keys[1], copy(1, 10));
        assert!(by_number.look_up(&keys[0]).is_some(), "used");
        keep(&by_number, &keys[2], copy(1, 10));
        assert_eq!(there(&by_number), [true, false, true, false]);
        let by_bytes = Copies::new(Bounds { entries: 100, bytes: 3000 }, false);
        (0..3).for_each(|at| keep(&by_bytes, &keys[at], copy(1, 700)));
        assert_eq!(there(&by_bytes), [true, true, true, false]);
        keep(&by_bytes, &keys[3], copy(1, 700));
        assert_eq!(there(&by_bytes), [false, true, true, true]);
        keep(&by_bytes, &keys[3], copy(2, 4000));
        assert_eq!(there(&by_bytes), [false; 4], "what is larger than all the room is not kept");
        let NearCounters { evicted, entries_max, bytes_max, .. } = by_bytes.counters();
        assert_eq!((evicted, entries_max), (4, 3));
        assert!(bytes_max <= 3000, "{bytes_max}");
    }

    #[test]
    fn a_change_takes_away_the_marks_of_reads_that_are_under_way() {
        let (copies, key, other) = (Copies::new(Bounds::NONE, false), Key::of_item(1), Key::of_item(2));
        let (one, two, elsewhere) = (copies.mark(&key), copies.mark(&key), copies.mark(&other));
        copies.heard(&key);
        let after = copies.mark(&key);
        copies.keep(&key, one, copy(1, 1), true);
        copies.keep(&other, elsewhere, copy(1, 1), true);
        assert!(copies.look_up(&key).is_none() && copies.look_up(&other).is_some());
        copies.keep(&key, after, copy(2, 1), true);
        assert_eq!(copies.look_up(&key).map(|held| held.entry.version), Some(2));
        copies.keep(&key, two, copy(1, 1), false);
        assert_eq!(copies.look_up(&key).map(|held| held.entry.version), Some(2), "never back to an older version");
        let mark = copies.mark(&key);
        copies.flush();
        copies.keep(&key, mark, copy(3, 1), true);
        assert!(copies.look_up(&key).is_none() && copies.look_up(&other).is_none(), "a flush is a change of all keys");
        let NearCounters { heard, flushed, overtaken, .. } = copies.counters();
        assert_eq!((heard, flushed, overtaken), (1, 1, 3));
        assert!(copies.0.lock().unwrap().marks.is_empty(), "no mark is left");
    }

    #[test]
    fn nothing_is_kept_before_changes_are_heard() {
        let (copies, key) = (Copies::new(Bounds::NONE, true), Key::of_item(1));
        keep(&copies, &key, copy(1, 1));
        assert!(copies.look_up(&key).is_none());
        copies.hears();
        keep(&copies, &key, copy(1, 1));
        assert!(copies.look_up(&key).is_some());
    }
}
