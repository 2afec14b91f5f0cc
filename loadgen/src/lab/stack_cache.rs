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
