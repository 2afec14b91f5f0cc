//! Wake-ups: how a loser of a lock learns that there is something to see, sooner than its next poll.

use super::BoxFuture;
use crate::port::key::Key;

/// A message that is waited for.
pub type Message = BoxFuture<'static, ()>;

/// Messages about keys, best effort: one that is lost costs a fall-back poll, never a stuck waiter.
pub trait Wake: Send + Sync {
    /// Listens for a key. What comes out ends at the next message about it that was sent after this call returned, or at
    /// an earlier one that is still on its way: a woken waiter must look for itself. `None` where the cache lets nobody
    /// listen: a waiter that polls instead does something else than was asked for, and says so.
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>>;

    /// Tells everybody who listens that the key has changed hands, or has a value. False where the message was not taken.
    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool>;
}
