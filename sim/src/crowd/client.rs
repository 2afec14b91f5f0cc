//! One client of a closed load between two requests: a few numbers.

use scenarios::Op;

use super::under_way::RequestPlace;

/// A closed load's client, and its next request or the one that is under way.
#[derive(Clone, Copy)]
pub(super) struct CrowdClient {
    pub(super) intended: u64,
    pub(super) n: u64,
    pub(super) key: u32,
    pub(super) op: Op,
    pub(super) replica: u16,
    pub(super) state: ClientState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientState {
    /// Its next request waits to be sent.
    Waits,
    /// It is not active, and decides on its next request when it is again.
    Rests,
    /// A request of its own is under way, or it has ended.
    Away,
}

impl CrowdClient {
    /// One that was not there yet.
    pub(super) const NONE: Self = Self { intended: 0, n: 0, key: 0, op: Op::Get, replica: 0, state: ClientState::Away };

    /// The place of its request.
    pub(super) fn place(&self, number: u32) -> RequestPlace {
        let Self { intended, n, key, op, replica, .. } = *self;
        RequestPlace { client: number, n, key, op, replica, ..RequestPlace::first(intended) }
    }
}
