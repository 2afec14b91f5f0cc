//! The origin's capacity: W places and a queue with an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// W places, and at most `queue` reads that wait for one, first come, first served.
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: Arc<AtomicU64>,
    queue: u64,
}

impl Places {
    pub(super) fn new(concurrency: u32, queue: u32) -> Self {
        Self { free: Arc::new(Semaphore::new(concurrency as usize)), waiting: Arc::default(), queue: queue.into() }
    }

    /// How many wait for one now.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// A place, waiting for one if there is room in the queue; `None` where there is not.
    pub(super) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let place = Arc::clone(&self.free).acquire_owned().await;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        place.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_places_and_queue_reads_are_rejected_and_the_queue_is_fair() {
        let places = Arc::new(Places::new(2, 1));
        let first = places.take().await.unwrap();
        let _second = places.take().await.unwrap();
        let queued = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await.is_some() }
        });
        while places.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(places.take().await.is_none(), "no place, and the queue is full");
        drop(first);
        assert!(queued.await.unwrap(), "the place went to the one who waited");
        assert!(Places::new(0, 0).take().await.is_none());
    }
}
