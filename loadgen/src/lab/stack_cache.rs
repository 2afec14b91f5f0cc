//! What the cache of a stack of containers is.

/// What the cache of a stack of containers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackCache {
    /// One server behind the proxy.
    OneServer,
    /// A cluster.
    Cluster,
    /// A server with a standby that Sentinels watch.
    Sentinel,
}

impl StackCache {
    /// What Compose is to be given for it, with a space before.
    #[must_use]
    pub fn env_file(self) -> &'static str {
        match self {
            Self::OneServer => "",
            Self::Cluster => " --env-file docker/cluster.env",
            Self::Sentinel => " --env-file docker/sentinel.env",
        }
    }

    /// A sentence whose commands bring up this stack, and no other.
    #[must_use]
    pub fn remedy(self, sentence: &str) -> String {
        sentence.replace("docker compose up", &format!("docker compose{} up", self.env_file()))
    }
}
