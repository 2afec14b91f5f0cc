//! Kinds of trouble: what an event, or the fuzzer, does to a fleet, and what that may excuse.

/// What goes wrong, as whatever judges a run has it: an event of a scenario is one of these, the fuzzer makes them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
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
    /// A replica heard of no changes.
    SubscriberCut,
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
    /// One of the cache's servers was gone, and another took its place that knew nothing of the last while.
    ServerLost,
    /// Slots of a cluster moved to another server.
    SlotsMove,
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

impl Trouble {
    /// Every kind that the fuzzer makes.
    pub const MADE: [Self; 18] = [
        Self::Crash,
        Self::Freeze,
        Self::RepliesLost,
        Self::CutThere,
        Self::CutBack,
        Self::SubscriberCut,
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

    /// Those of a cluster, of which the fuzzer makes worlds of their own.
    pub const OF_SHARDS: [Self; 2] = [Self::ServerLost, Self::SlotsMove];

    /// The name in counts and replays.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::RepliesLost => "replies-lost",
            Self::CutThere => "cut-there",
            Self::CutBack => "cut-back",
            Self::SubscriberCut => "subscriber-cut",
            Self::ClockJump => "clock-jump",
            Self::ClockDrift => "clock-drift",
            Self::CacheEmptied => "cache-emptied",
            Self::CacheLost => "cache-lost",
            Self::CachePaused => "cache-paused",
            Self::CacheSlow => "cache-slow",
            Self::CacheRefuses => "cache-refuses",
            Self::FailOver => "fail-over",
            Self::ServerLost => "server-lost",
            Self::SlotsMove => "slots-move",
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
                | Self::SubscriberCut
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
                | Self::ServerLost
                | Self::SlotsMove
                | Self::Other
        )
    }

    /// Whether a lease may end, or a second one begin, before its time.
    #[must_use]
    pub const fn ends_leases(self) -> bool {
        matches!(
            self,
            Self::CacheEmptied | Self::CacheLost | Self::FailOver | Self::ServerLost | Self::Freeze | Self::Other
        )
    }

    /// Whether the origin does not do its work meanwhile.
    #[must_use]
    pub const fn origin_unwell(self) -> bool {
        matches!(self, Self::OriginSlow | Self::OriginFails | Self::OriginPaused | Self::Other)
    }

    /// Whether cache operations may fail of it: the cache does not do its work, or its caller stands still beyond their time.
    #[must_use]
    pub const fn fails_cache_operations(self) -> bool {
        self.cache_unusable() || matches!(self, Self::Freeze)
    }
}
