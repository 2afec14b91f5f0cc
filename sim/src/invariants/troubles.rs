//! What has gone wrong in a run: what excuses what.

use scenarios::Trouble;

/// A trouble, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// What.
    pub kind: Trouble,
    /// At which replica; `None` where it is everybody's.
    pub node: Option<u16>,
    /// From when, nanoseconds.
    pub from_ns: i64,
    /// Until when.
    pub until_ns: i64,
}

/// All of them so far.
#[derive(Debug, Default)]
pub struct Troubles(Vec<Active>);

impl Troubles {
    pub(super) fn add(&mut self, active: Active) {
        self.0.push(active);
    }

    /// Those within a span of time that are of a certain kind.
    pub(super) fn of(&self, from_ns: i64, to_ns: i64, kind: impl Fn(Trouble) -> bool) -> impl Iterator<Item = &Active> {
        self.0.iter().filter(move |a| a.from_ns <= to_ns && a.until_ns >= from_ns && kind(a.kind))
    }

    /// Whether there is one of a certain kind within a span of time.
    pub(super) fn any(&self, from_ns: i64, to_ns: i64, kind: impl Fn(Trouble) -> bool) -> bool {
        self.of(from_ns, to_ns, kind).next().is_some()
    }

    /// Whether there is one of a certain kind, at a replica or at what all of them share, within a span of time.
    pub(super) fn at(&self, node: Option<u16>, from_ns: i64, to_ns: i64, kind: impl Fn(Trouble) -> bool) -> bool {
        self.of(from_ns, to_ns, kind).any(|a| a.node.is_none() || a.node == node)
    }

    /// How long a replica stood still within a span of time.
    pub(super) fn frozen_ns(&self, node: Option<u16>, from_ns: i64, to_ns: i64) -> i64 {
        let frozen = self.0.iter().filter(|a| a.kind == Trouble::Freeze && a.node == node);
        frozen.map(|a| (a.until_ns.min(to_ns) - a.from_ns.max(from_ns)).max(0)).sum()
    }
}
