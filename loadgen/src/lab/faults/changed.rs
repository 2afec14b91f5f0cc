//! What was changed at a server and is to be set back.

use app::cache::redis_cache::ServerHand;

/// Settings of a server as they were before an event, and the connection that sets them back: a server that takes no new clients would
/// refuse another.
pub(super) struct ChangedServer {
    pub(super) hand: ServerHand,
    /// In the order in which they were changed.
    pub(super) before: Vec<(&'static str, String)>,
}
