//! Wake-ups: how a loser of a lock learns that there is something to see, sooner than its next poll.

use super::BoxFuture;
use crate::key::Key;

/// Messages about keys, best effort: one that is lost costs a fall-back poll, never a stuck waiter.
pub trait Wake: Send + Sync {
    /// Listens for a key. What comes out ends at the next message about it that was sent after this call returned, or at
    /// an earlier one that is still on its way: whoever is woken must look for himself. Where nothing can be heard it
    /// never ends.
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, BoxFuture<'static, ()>>;

    /// Tells everybody who listens that the key has changed hands, or has a value.
    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, ()>;
}
