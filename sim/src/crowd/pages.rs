//! Requests for several items.

use strategies::{GetError, Key, Served, Stack};

use super::workers::{Job, WorkerSlot};
use super::{Crowd, Reply, Witness};

impl<W: Witness + 'static> Crowd<W> {
    /// A request for several items is answered.
    pub(super) async fn turn_page(&self, job: Job, desk: &WorkerSlot) {
        let page: Vec<Key> = self.plan.page(job.key.item().unwrap_or(1)).map(Key::of_item).collect();
        let (items, connection) = Stack::serve_many(job.stack, job.cx, &page).await;
        let answer = items.and_then(|items| Served::of_many(&items).ok_or(GetError::LeadersVanished));
        self.answered(job.number, desk, Reply::Answer(&answer, connection));
    }
}
