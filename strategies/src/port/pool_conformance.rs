//! What any [`Connections`] must do, whatever is behind them.

#![allow(clippy::panic, reason = "test support")]

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::poll_fn;

use super::entry::{Entry, Life};
use super::key::Key;
use super::{
    Acquired, BoxFuture, Clock, Connected, ConnectionLimits, Connections, Level, Lookup, ReadFrom, Stored,
    TakenConnection, Token, When,
};

/// Ways to a cache whose namespace is empty.
pub struct ConnectionsSubject {
    /// The ways.
    pub connections: Arc<dyn Connections>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// A prefix of its own for the keys that are used.
    pub prefix: String,
}

const LIFE: Duration = Duration::from_secs(60);

impl ConnectionsSubject {
    /// Everything below, in order.
    pub async fn check_all(&self) {
        self.every_connection_reaches_one_cache().await;
        self.a_connection_is_one_callers_at_a_time_in_the_order_of_their_coming().await;
        self.a_wish_that_is_dropped_takes_nothing().await;
    }

    fn key(&self, name: &str) -> Key {
        Key::new(&format!("{}:{name}", self.prefix)).unwrap_or_else(|e| panic!("{e}"))
    }

    async fn every_connection_reaches_one_cache(&self) {
        let pool = self.connections.pool(2, ConnectionLimits::USUAL, ReadFrom::Primary);
        let (one, two) = (pool.take().await, pool.take().await);
        let limits = ConnectionLimits { reply: Duration::from_secs(1), ..ConnectionLimits::USUAL };
        let shared = self.connections.shared(limits, ReadFrom::Primary);
        let key = self.key("reached");
        let now = self.clock.wall();
        let life = Life::new(LIFE, Duration::ZERO);
        let value = Some(Bytes::from_static(b"value"));
        let entry = Entry { value, version: 1, read_at: now, stored_at: now, life, delta: Duration::ZERO };
        assert_eq!(one.connected.cache.put(&key, &entry, When::Always).await, Ok(Stored::Stored));
        for Connected { cache, .. } in [&one.connected, &two.connected, &shared] {
            assert_eq!(cache.get(&key).await, Ok(Lookup::Found(entry.clone(), Level::Shared)));
        }
        assert_eq!(two.connected.lease.acquire(&key, Token(1), LIFE).await, Ok(Acquired::Won));
        assert_eq!(shared.lease.acquire(&key, Token(2), LIFE).await, Ok(Acquired::Held));
    }

    async fn a_connection_is_one_callers_at_a_time_in_the_order_of_their_coming(&self) {
        let pool = self.connections.pool(2, ConnectionLimits::USUAL, ReadFrom::Primary);
        let (one, two) = (pool.take().await, pool.take().await);
        let (mut third, mut fourth) = (pool.take(), pool.take());
        assert!(now(&mut third).await.is_none() && now(&mut fourth).await.is_none(), "both are taken");
        drop(two);
        assert!(now(&mut fourth).await.is_none(), "it is not its turn");
        let third = third.await;
        drop(one);
        let fourth = fourth.await;
        let mut fifth = pool.take();
        assert!(now(&mut fifth).await.is_none());
        drop((third, fourth));
        drop(fifth.await);
    }

    async fn a_wish_that_is_dropped_takes_nothing(&self) {
        let pool = self.connections.pool(1, ConnectionLimits::USUAL, ReadFrom::Primary);
        let one = pool.take().await;
        let (mut dropped, mut next) = (pool.take(), pool.take());
        assert!(now(&mut dropped).await.is_none() && now(&mut next).await.is_none());
        drop(dropped);
        drop(one);
        drop(next.await);
        assert!(now(&mut pool.take()).await.is_some(), "it is free again");
    }
}

/// What a wish has at once.
async fn now(wish: &mut BoxFuture<'_, TakenConnection>) -> Option<TakenConnection> {
    poll_fn(|cx| match wish.as_mut().poll(cx) {
        Poll::Ready(taken) => Poll::Ready(Some(taken)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
