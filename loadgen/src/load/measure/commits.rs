//! When each version of each key was committed, by the origin's own ledger of writes.

use std::collections::BTreeMap;

use evidence::OriginWrite;

/// A commit, nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    /// No read before it found the version.
    pub(super) began_ns: i64,
    /// Every read from then on finds it, or a later one.
    pub(super) ended_ns: i64,
}

/// The commits of a run: 16 bytes each.
#[derive(Debug, Clone, Default)]
pub(super) struct Commits {
    /// By key; version 2 first, for an item is made with version 1.
    by_key: BTreeMap<u32, Vec<Commit>>,
    /// What cannot be, one sentence each.
    pub(super) disagree: Vec<String>,
}

impl Commits {
    /// Of the origin's ledger; `offset_ns` from its clock to nanoseconds since t = 0.
    pub(super) fn of(writes: &[OriginWrite], offset_ns: i64) -> Self {
        let at = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(offset_ns);
        let mut made: Vec<(u32, u64, Commit)> = writes
            .iter()
            .filter_map(|write| {
                let commit = Commit { began_ns: at(write.commit_began_ns?), ended_ns: at(write.committed_ns?) };
                Some((write.key.parse().ok()?, write.version?, commit))
            })
            .collect();
        made.sort_by_key(|(key, version, _)| (*key, *version));
        let mut commits = Self::default();
        for (key, version, commit) in made {
            let of_key = commits.by_key.entry(key).or_default();
            let next = of_key.len() as u64 + 2;
            if version != next {
                commits
                    .disagree
                    .push(format!("key {key}: the origin's writes go from version {} to {version}", next - 1));
            }
            of_key.push(commit);
        }
        commits
    }

    /// The commit that made a version of a key old; `None` where none did.
    pub(super) fn after(&self, key: u32, version: u64) -> Option<Commit> {
        let at = usize::try_from(version.checked_sub(1)?).ok()?;
        self.by_key.get(&key)?.get(at).copied()
    }

    /// Whether a key was ever written.
    pub(super) fn wrote(&self, key: u32) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The newest version of a key.
    pub(super) fn newest(&self, key: u32) -> u64 {
        1 + self.by_key.get(&key).map_or(0, |of_key| of_key.len() as u64)
    }
}
