//! What wakes a task, a call, or the main future of a world.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::scheduler::with_core;
use super::task::WakeTarget;

/// Wakes one slot of one world.
struct SlotWaker {
    world: u32,
    whom: WakeTarget,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        with_core(self.world, |core| core.wake(self.whom));
    }
}

/// The waker of one slot of that world.
pub(super) fn waker_of(world: u32, whom: WakeTarget) -> Waker {
    Waker::from(Arc::new(SlotWaker { world, whom }))
}
