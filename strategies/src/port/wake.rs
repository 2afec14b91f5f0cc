//! Wake-ups: how a loser of a lock learns that there is something to see, sooner than its next poll.

use std::pin::Pin;

use futures_util::Stream;

use super::BoxFuture;
use crate::port::key::Key;

/// A message that is waited for.
pub type Message = BoxFuture<'static, ()>;

/// Everything that is announced, as it comes.
pub type Messages = Pin<Box<dyn Stream<Item = Heard> + Send>>;

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message about this key.
    About(Key),
    /// Messages may have been lost before this one: the connection was down, or the subscriber was too slow. What a subscriber keeps
    /// because it heard nothing about it is doubtful. Of a connection it is told when it breaks, where that is noticed, and always
    /// when it stands again.
    Lost,
}

/// Messages about keys, best effort: one that is lost costs a fall-back poll, never a stuck waiter.
pub trait Wake: Send + Sync {
    /// Listens for a key. What comes out ends at the next message about it that was sent after this call returned, or at
    /// an earlier one that is still on its way: a woken waiter must look for itself. `None` where the cache lets nobody
    /// listen: a waiter that polls instead does something else than was asked for, and says so.
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>>;

    /// Listens for every key. The stream has what is announced after this call returned, in order, and tells where something may be
    /// missing; it ends with the subscriber. `None` where the cache lets nobody listen.
    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>>;

    /// Tells everybody who listens that the key has changed hands, or has a value. False where the message was not taken.
    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool>;
}
