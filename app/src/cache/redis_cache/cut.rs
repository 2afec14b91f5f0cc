//! The connections on which a replica hears of changes, ended at the lab's word.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use tokio::time::Instant;

use super::link::RedisLink;

/// The connections on which a replica hears of changes: ended and kept down at the lab's word.
#[derive(Default)]
pub(super) struct Cut {
    until: Mutex<Option<Instant>>,
    /// The server's numbers of those that stand.
    clients: Mutex<BTreeSet<i64>>,
}

impl Cut {
    /// Ends them by the server's hand, and lets none be made for a time.
    pub(super) async fn cut(&self, link: &RedisLink, length: Duration) -> RedisResult<()> {
        *lock(&self.until) = Some(Instant::now() + length);
        let clients = lock(&self.clients).clone();
        for client in clients {
            let kill = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(client).to_owned();
            kill.query_async::<i64>(&mut link.any()).await?;
        }
        Ok(())
    }

    pub(super) async fn over(&self) {
        loop {
            let until = *lock(&self.until);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }
}

/// A connection's number at the server, for as long as it stands.
pub(super) struct ListeningClient<'a>(&'a Cut, i64);

impl<'a> ListeningClient<'a> {
    pub(super) fn new(cut: &'a Cut, number: i64) -> Self {
        lock(&cut.clients).insert(number);
        Self(cut, number)
    }
}

impl Drop for ListeningClient<'_> {
    fn drop(&mut self) {
        lock(&self.0.clients).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
