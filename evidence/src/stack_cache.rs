//! What the cache of a stack of containers is, as the proxy of the stack tells it.

/// What the cache of a stack of containers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackCache {
    /// One server behind the proxy.
    OneServer,
    /// A cluster, to whose nodes replicas speak themselves.
    Cluster,
    /// A server with a standby, of which Sentinels say where it is.
    Sentinel,
}

impl StackCache {
    const WORDS: [(Self, &str); 3] =
        [(Self::OneServer, "one server"), (Self::Cluster, "a cluster"), (Self::Sentinel, "a server under Sentinel")];

    /// In words, as the proxy's identity tells it.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(one, _)| *one == self).map_or("", |(_, words)| words)
    }

    /// What these words say; `None` of others.
    #[must_use]
    pub fn read(words: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, of)| *of == words).map(|(one, _)| *one)
    }
}
