//! Deleting a lease, no matter which caller holds it: a port that no right strategy uses, for `broken-release-anybodys`.

use crate::port::key::Key;
use crate::port::{BoxFuture, CacheError};

/// Leases that anybody may delete.
pub trait Seize: Send + Sync {
    /// Deletes the lease, no matter which caller holds it.
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>>;
}
