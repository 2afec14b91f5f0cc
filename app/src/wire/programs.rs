//! The lab's programs, as they name themselves in their identities and metrics.

/// A replica.
pub const REPLICA: &str = "stampede-replica";
/// The origin.
pub const ORIGIN: &str = "stampede-origin";
/// The cache proxy.
pub const CACHE_PROXY: &str = "stampede-cache-proxy";
/// A counting proxy in front of somebody's own origin.
pub const ORIGIN_PROXY: &str = "stampede-origin-proxy";
