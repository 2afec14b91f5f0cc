//! Independent pieces of work on all cores, their results in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More threads than this only hold more pictures in memory at once.
const THREADS_MAX: usize = 8;

/// Does `work` for 0 to `count`, on as many threads as there are cores; the first error by number wins.
pub fn each<T: Send, E: Send>(count: usize, work: impl Fn(usize) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(count);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let result = work(number);
            done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((number, result));
        }
    };
    thread::scope(|scope| {
        // One is this thread itself, which is all there is where the system gives no other.
        for _ in 1..threads {
            let _ = thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_the_first_error_wins() {
        assert_eq!(each(100, |n| Ok::<_, ()>(n * n)).unwrap(), (0..100).map(|n| n * n).collect::<Vec<_>>());
        assert_eq!(each(100, |n| if n % 30 == 29 { Err(n) } else { Ok(n) }), Err(29));
        assert_eq!(each(0, Ok::<_, ()>), Ok(vec![]));
    }
}
