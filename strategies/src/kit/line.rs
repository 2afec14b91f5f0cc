//! A number of places and a line with an end before them, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

/// Free places, and the waiters for one. Nothing waits while one is free.
#[derive(Clone)]
pub(crate) struct Line {
    queue: usize,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    free: u32,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// One of the places. Dropped, it goes to the first in the line.
pub(crate) struct Place(Option<Arc<Mutex<Inner>>>);

/// The answer to one who wants a place.
pub(crate) enum Entered {
    Now(Place),
    Waits(oneshot::Receiver<Place>),
    Full,
}

impl Line {
    /// A line with `places`, and room for `queue` waiters.
    pub(crate) fn new(places: u32, queue: u32) -> Self {
        let inner = Inner { free: places, waiting: VecDeque::new() };
        Self { queue: queue as usize, inner: Arc::new(Mutex::new(inner)) }
    }

    /// Takes a place, or gets into the line.
    pub(crate) fn enter(&self) -> Entered {
        let mut line = lock(&self.inner);
        if line.free > 0 {
            line.free -= 1;
            return Entered::Now(Place(Some(Arc::clone(&self.inner))));
        }
        if line.waiting.len() >= self.queue {
            line.waiting.retain(|waiter| !waiter.is_canceled()); // those who went away
        }
        if line.waiting.len() >= self.queue {
            return Entered::Full;
        }
        let (tell, told) = oneshot::channel();
        line.waiting.push_back(tell);
        Entered::Waits(told)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(line) = self.0.take() else { return };
        loop {
            let next = {
                let mut line = lock(&line);
                let next = line.waiting.pop_front();
                line.free += u32::from(next.is_none());
                next
            };
            let Some(next) = next else { return };
            match next.send(Self(Some(Arc::clone(&line)))) {
                Ok(()) => return,
                // The waiter has gone away: the next one.
                Err(mut place) => drop(place.0.take()),
            }
        }
    }
}

/// What is locked is whole between any two lines of the critical sections above.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
