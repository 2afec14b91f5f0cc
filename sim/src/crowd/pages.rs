//! Requests for several items.

use strategies::{GetError, Key, Served, Stack};

use super::workers::{Job, WorkerSlot};
use super::{Crowd, Reply, Witness};

impl<W: Witness + 'static> Crowd<W> {
    /// A request for several items is answered.
    pub(super) async fn turn_page(&self, job: Job, desk: &WorkerSlot) {
        let page: Vec<Key> = self.plan.page(job.key.item().unwrap_or(1)).map(Key::of_item).collect();
        let replica = job.cx.replica;
        let (items, connection) = Stack::serve_many(job.stack, job.cx, &page).await;
        let flights = items.iter().flatten().filter_map(|served| served.flight);
        // The first is told with the answer.
        flights.skip(1).for_each(|flight| self.witness.borrow_mut().led(replica, flight));
        let answer = items.and_then(|items| Served::of_many(&items).ok_or(GetError::LeadersVanished));
        self.answered(job.number, desk, Reply::Answer(&answer, connection));
    }
}
