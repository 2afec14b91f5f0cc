//! What was changed at servers and is to be set back, or to end.

use std::sync::Arc;
use std::time::Duration;

use app::cache::redis_cache::{ClusterHand, ServerHand, SlotMove};
use evidence::CommandTimes;
use strategies::Key;

/// Settings of a server as they were before an event, and the connection that sets them back: a server that takes no new clients would
/// refuse another.
pub(super) struct ChangedServer {
    pub(super) hand: ServerHand,
    /// In the order in which they were changed.
    pub(super) before: Vec<(&'static str, String)>,
}

/// Slots that were moved and are to be given back, in the order in which they moved.
#[derive(Default)]
pub(super) struct MovedSlots(pub(super) Vec<(Arc<ClusterHand>, SlotMove)>);

/// Something that was begun.
pub(super) struct Begun {
    pub(super) from_ns: i64,
    /// What commands took until then.
    pub(super) times: CommandTimes,
    pub(super) what: WhatBegan,
}

pub(super) enum WhatBegan {
    Lost { item: Key, stands_still: Duration },
    Moves { hand: Arc<ClusterHand>, slots: SlotMove },
}
