//! What takes effect in the cache, told to a watcher: the order of these is the cache's own.

use std::time::Duration;

use strategies::port::{Acquired, CounterCommand, HeldCounter, Released, Removal, Renewed, Stored, Token, When};
use strategies::{Entry, Key};

/// Told of everything that takes effect in the cache, and which replica did it.
pub type Watcher = Box<dyn Fn(u16, Effect) + Send + Sync>;

/// What took effect in the cache.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A put, and what became of it.
    Put(Key, Entry, When, Stored),
    /// A key was forgotten, perhaps with its lease.
    Removed(Key, Removal),
    /// A replica asked for a lease of this length.
    Taken(Key, Token, Duration, Acquired),
    /// Somebody renewed one.
    Prolonged(Key, Token, Renewed),
    /// Somebody let go of one.
    LetGo(Key, Token, Released),
    /// A lease was deleted, no matter which caller held it.
    Seized(Key),
    /// A command on a counter, and what was held of it before.
    Counted(Key, CounterCommand, Option<HeldCounter>),
}
