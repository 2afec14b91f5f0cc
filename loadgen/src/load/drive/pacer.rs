//! Pacing off the runtime's timers, which wake 1.1 to 1.4 ms late at the median: one thread that sleeps until the next
//! moment and wakes the task that asked for it, 60 to 100 µs late.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{JoinHandle, Thread};

use app::process::runtime::RealClock;
use strategies::port::Clock;
use strategies::time::Mono;

/// Wakes futures at moments of a clock.
pub struct Pacer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    clock: RealClock,
    state: Mutex<State>,
    over: AtomicBool,
}

#[derive(Default)]
struct State {
    moments: BinaryHeap<Reverse<(Mono, u64)>>,
    wakers: BTreeMap<u64, Waker>,
    asked: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pacer {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system gives none.
    pub fn start(clock: RealClock) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { clock, state: Mutex::default(), over: AtomicBool::new(false) });
        let thread = std::thread::Builder::new().name("pacer".into()).spawn({
            let shared = Arc::clone(&shared);
            move || pace(&shared)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A handle to ask with, for any thread.
    #[must_use]
    pub fn handle(&self) -> Pace {
        let thread = self.thread.as_ref().map(|t| t.thread().clone());
        Pace { shared: Arc::clone(&self.shared), thread }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn pace(shared: &Shared) {
    while !shared.over.load(Ordering::Acquire) {
        let now = shared.clock.mono();
        let (due, next) = {
            let mut state = shared.state();
            let mut due = Vec::new();
            while let Some(Reverse((when, id))) = state.moments.peek().copied()
                && when <= now
            {
                state.moments.pop();
                due.extend(state.wakers.remove(&id));
            }
            (due, state.moments.peek().map(|Reverse((when, _))| *when))
        };
        due.into_iter().for_each(Waker::wake);
        match next {
            Some(when) => std::thread::park_timeout(when.since(shared.clock.mono())),
            None => std::thread::park(),
        }
    }
}

/// Asks a [`Pacer`].
#[derive(Clone)]
pub struct Pace {
    shared: Arc<Shared>,
    thread: Option<Thread>,
}

impl Pace {
    /// Ends at `when`, or at once where that has passed.
    #[must_use]
    pub fn until(&self, when: Mono) -> Until<'_> {
        Until { pace: self, when, id: None }
    }
}

/// See [`Pace::until`].
pub struct Until<'a> {
    pace: &'a Pace,
    when: Mono,
    id: Option<u64>,
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.pace.shared.clock.mono() >= self.when {
            return Poll::Ready(());
        }
        let mut state = self.pace.shared.state();
        if let Some(id) = self.id {
            state.wakers.insert(id, cx.waker().clone());
            return Poll::Pending;
        }
        state.asked += 1;
        let id = state.asked;
        let earliest = state.moments.peek().is_none_or(|Reverse((first, _))| self.when < *first);
        state.moments.push(Reverse((self.when, id)));
        state.wakers.insert(id, cx.waker().clone());
        drop(state);
        self.id = Some(id);
        if earliest && let Some(thread) = &self.pace.thread {
            thread.unpark();
        }
        Poll::Pending
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.pace.shared.state().wakers.remove(&id);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn moments_come_in_order_and_never_early() {
        let clock = RealClock::start();
        let pacer = Pacer::start(clock).unwrap();
        let pace = pacer.handle();
        let order = Mutex::new(Vec::new());
        let begun = clock.mono();
        let at = |ms: u64| {
            let (pace, order) = (&pace, &order);
            async move {
                let when = begun.plus(Duration::from_millis(ms));
                pace.until(when).await;
                assert!(clock.mono() >= when);
                order.lock().unwrap().push(ms);
            }
        };
        tokio::join!(at(600), at(200), at(0), at(400));
        assert_eq!(*order.lock().unwrap(), [0, 200, 400, 600]);
    }

    #[tokio::test]
    async fn one_that_is_dropped_wakes_nobody() {
        let clock = RealClock::start();
        let pacer = Pacer::start(clock).unwrap();
        let pace = pacer.handle();
        let far = pace.until(clock.mono().plus(Duration::from_secs(3600)));
        assert!(tokio::time::timeout(Duration::from_millis(1), far).await.is_err());
        assert!(pacer.shared.state().wakers.is_empty());
    }
}
