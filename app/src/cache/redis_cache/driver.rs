//! The task behind a connection, and how long things about one may take.

use std::time::Duration;

use redis::RedisResult;
use tokio::task::AbortHandle;

/// What is said of a connection that is not made in time.
pub(super) const NO_CONNECTION: &str = "no connection in time";

/// The task that drives a connection, ended with this.
pub(super) struct Driver(AbortHandle);

impl Driver {
    pub(super) fn spawn(driver: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(driver).abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Work that ends in time, or with an error that says that it did not.
pub(super) async fn within<T>(
    budget: Duration,
    late: &'static str,
    work: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, late);
    tokio::time::timeout(budget, work).await.unwrap_or_else(|_| Err(late().into()))
}
