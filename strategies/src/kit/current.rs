//! A value that stands for the work that is polled on this thread now.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::thread::LocalKey;

use futures_util::future::poll_fn;

/// Where it is found.
pub(crate) type Current<T> = LocalKey<RefCell<Option<Arc<T>>>>;

/// Sets it, until what is returned is dropped; then it is what it was before.
pub(crate) fn enter<T>(at: &'static Current<T>, value: Arc<T>) -> CurrentGuard<T> {
    CurrentGuard { at, before: at.replace(Some(value)) }
}

/// Does work for which it is set whenever that is polled.
pub(crate) async fn within<T, R>(at: &'static Current<T>, value: Arc<T>, work: impl Future<Output = R>) -> R {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let _entered = enter(at, Arc::clone(&value));
        work.as_mut().poll(cx)
    })
    .await
}

/// Puts back what was there before.
pub(crate) struct CurrentGuard<T: 'static> {
    at: &'static Current<T>,
    before: Option<Arc<T>>,
}

impl<T> Drop for CurrentGuard<T> {
    fn drop(&mut self) {
        self.at.set(self.before.take());
    }
}
