//! What has gone wrong in a run: what excuses what.

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A replica died.
    Crash,
    /// A replica stood still.
    Freeze,
    /// Replies to a replica's writes were lost after their effect.
    RepliesLost,
    /// Nothing arrived at the cache from a replica.
    CutThere,
    /// Nothing arrived at a replica from the cache.
    CutBack,
    /// A replica's wall clock jumped.
    ClockJump,
    /// A replica's wall clock went too fast or too slow.
    ClockDrift,
    /// The cache was emptied.
    CacheEmptied,
    /// The cache was gone, and empty afterwards.
    CacheLost,
    /// The cache answered nothing.
    CachePaused,
    /// The cache was slow.
    CacheSlow,
    /// The cache refused writes.
    CacheRefuses,
    /// The cache knew nothing of the last while.
    FailOver,
    /// The origin was slow.
    OriginSlow,
    /// The origin failed.
    OriginFails,
    /// The origin did nothing.
    OriginPaused,
    /// An entry's bytes were damaged.
    Corrupt,
    /// Something else, in a real lab.
    Other,
}

impl Kind {
    /// Every kind that the fuzzer makes.
    pub const MADE: [Self; 17] = [
        Self::Crash,
        Self::Freeze,
        Self::RepliesLost,
        Self::CutThere,
        Self::CutBack,
        Self::ClockJump,
        Self::ClockDrift,
        Self::CacheEmptied,
        Self::CacheLost,
        Self::CachePaused,
        Self::CacheSlow,
        Self::CacheRefuses,
        Self::FailOver,
        Self::OriginSlow,
        Self::OriginFails,
        Self::OriginPaused,
        Self::Corrupt,
    ];

    /// The name in counts and replays.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::RepliesLost => "replies-lost",
            Self::CutThere => "cut-there",
            Self::CutBack => "cut-back",
            Self::ClockJump => "clock-jump",
            Self::ClockDrift => "clock-drift",
            Self::CacheEmptied => "cache-emptied",
            Self::CacheLost => "cache-lost",
            Self::CachePaused => "cache-paused",
            Self::CacheSlow => "cache-slow",
            Self::CacheRefuses => "cache-refuses",
            Self::FailOver => "fail-over",
            Self::OriginSlow => "origin-slow",
            Self::OriginFails => "origin-fails",
            Self::OriginPaused => "origin-paused",
            Self::Corrupt => "corrupt",
            Self::Other => "other",
        }
    }

    /// Whether it happens at one replica, and not to what all of them share.
    #[must_use]
    pub const fn is_of_one_replica(self) -> bool {
        matches!(
            self,
            Self::Crash
                | Self::Freeze
                | Self::RepliesLost
                | Self::CutThere
                | Self::CutBack
                | Self::ClockJump
                | Self::ClockDrift
        )
    }

    /// Whether the cache, or the way to it, does not do its work meanwhile.
    #[must_use]
    pub const fn cache_unusable(self) -> bool {
        matches!(
            self,
            Self::RepliesLost
                | Self::CutThere
                | Self::CutBack
                | Self::CacheLost
                | Self::CachePaused
                | Self::CacheSlow
                | Self::CacheRefuses
                | Self::Other
        )
    }

    /// Whether a lease may end, or a second one begin, before its time.
    #[must_use]
    pub const fn ends_leases(self) -> bool {
        matches!(self, Self::CacheEmptied | Self::CacheLost | Self::FailOver | Self::Freeze | Self::Other)
    }

    /// Whether the origin does not do its work meanwhile.
    #[must_use]
    pub const fn origin_unwell(self) -> bool {
        matches!(self, Self::OriginSlow | Self::OriginFails | Self::OriginPaused | Self::Other)
    }
}

/// A trouble, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// What.
    pub kind: Kind,
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
    pub(super) fn of(&self, from_ns: i64, to_ns: i64, kind: impl Fn(Kind) -> bool) -> impl Iterator<Item = &Active> {
        self.0.iter().filter(move |a| a.from_ns <= to_ns && a.until_ns >= from_ns && kind(a.kind))
    }

    /// Whether there is one of a certain kind within a span of time.
    pub(super) fn any(&self, from_ns: i64, to_ns: i64, kind: impl Fn(Kind) -> bool) -> bool {
        self.of(from_ns, to_ns, kind).next().is_some()
    }

    /// Whether there is one of a certain kind, at a replica or at what all of them share, within a span of time.
    pub(super) fn at(&self, node: Option<u16>, from_ns: i64, to_ns: i64, kind: impl Fn(Kind) -> bool) -> bool {
        self.of(from_ns, to_ns, kind).any(|a| a.node.is_none() || a.node == node)
    }

    /// How long a replica stood still within a span of time.
    pub(super) fn frozen_ns(&self, node: Option<u16>, from_ns: i64, to_ns: i64) -> i64 {
        let frozen = self.0.iter().filter(|a| a.kind == Kind::Freeze && a.node == node);
        frozen.map(|a| (a.until_ns.min(to_ns) - a.from_ns.max(from_ns)).max(0)).sum()
    }
}
