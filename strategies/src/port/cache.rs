//! The shared cache.

use futures_util::future::try_join_all;

use super::{BoxFuture, CacheError, Token};
use crate::port::entry::Entry;
use crate::port::key::Key;

/// What a read of the cache found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// An entry, at whatever age: the policy judges that; and the level that had it.
    Found(Entry, Level),
    /// Nothing.
    Absent,
    /// Something that is no entry of ours. A miss like any other, counted, and overwritten by the next put.
    Corrupt,
}

/// A level of a replica's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A copy in the replica's own process.
    Near,
    /// The cache that all replicas share.
    Shared,
}

/// The condition of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Store, whatever is there.
    Always,
    /// Store, but never over a newer version: for a leader that has no lease to show, and whose put may come late.
    NotOlder,
    /// Store only while the key's lease carries this token, and never over a newer version: a late holder can't put an
    /// old value over a new one.
    Fenced(Token),
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is in the cache.
    Stored,
    /// It was fenced off; what was there is still there.
    Fenced,
}

/// What a removal takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The entry.
    Entry,
    /// The entry and the key's lease, in one step: a put that the lease fences is refused from then on, so what was being loaded
    /// cannot be stored.
    EntryAndLease,
}

/// A shared cache of entries. Each operation ends within its own budget (100 ms for a networked one).
pub trait Cache: Send + Sync {
    /// Reads a key.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>>;

    /// Reads several keys, and says what it found in their order. A cache that can asks for all of them by one command; any other reads
    /// each by a command of its own, all at once.
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        Box::pin(try_join_all(keys.iter().map(|key| self.get(key))))
    }

    /// Writes a key: the one write door. The cache keeps the entry for its hard life and a second more, then forgets it.
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>>;

    /// Forgets a key.
    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>>;
}
