//! One replica's way to the simulated origin.

use std::sync::Arc;

use evidence::ReadEnd;
use futures_channel::oneshot;
use strategies::Key;
use strategies::port::{BoxFuture, Clock, LoadCx, Loaded, Origin, OriginError};

use super::SimOrigin;
use super::writes::Gone;
use crate::cache::link::Link;
use crate::world::{Handle, NOBODY, VirtualClock};

/// One replica's way to the origin.
pub struct OriginPort {
    world: Handle,
    origin: Arc<SimOrigin>,
    clock: Arc<VirtualClock>,
    link: Arc<Link>,
}

impl OriginPort {
    /// Connects a replica, whose clock stamps its reads.
    #[must_use]
    pub fn new(origin: &Arc<SimOrigin>, clock: Arc<VirtualClock>, link: Arc<Link>) -> Arc<Self> {
        Arc::new(Self { world: origin.world.clone(), origin: Arc::clone(origin), clock, link })
    }

    /// The way there. What is lost on it is waited for until the caller's own deadline.
    async fn travel(&self) {
        match self.link.there.deliver(self.world.now()) {
            Some(arrives) => self.world.sleep_until(arrives).await,
            None => std::future::pending().await,
        }
    }

    /// What the origin does, whether or not the caller stays, and the way of its answer back.
    async fn answered<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (tell, told) = oneshot::channel();
        let (world, link) = (self.world.clone(), Arc::clone(&self.link));
        self.world.spawn(NOBODY, async move {
            let answer = work.await;
            if let Some(back) = link.back.deliver(world.now()) {
                world.sleep_until(back).await;
                let _ = tell.send(answer);
            }
        });
        match told.await {
            Ok(answer) => answer,
            Err(oneshot::Canceled) => std::future::pending().await,
        }
    }

    async fn read(&self, key: &Key, cx: LoadCx) -> Result<Loaded, OriginError> {
        let read_at = self.clock.wall();
        self.travel().await;
        let row = self.origin.arrive(key, cx);
        let mut listening = Listening { origin: Arc::clone(&self.origin), row, told: false };
        let (origin, key) = (Arc::clone(&self.origin), key.clone());
        let answer = self.answered(async move { origin.serve(row, &key).await }).await;
        listening.told = true;
        answer.map(|loaded| Loaded { read_at, ..loaded })
    }

    async fn write(&self, key: &Key, cx: LoadCx) -> Result<Loaded, OriginError> {
        let read_at = self.clock.wall();
        self.travel().await;
        let row = self.origin.arrive_write(key, cx);
        let gone = Gone { origin: Arc::clone(&self.origin), row };
        let (origin, key) = (Arc::clone(&self.origin), key.clone());
        let answer = self.answered(async move { origin.write(row, &key).await }).await;
        drop(gone);
        let answer = answer.map_err(|refusal| OriginError::Failed(refusal.said().into()));
        answer.map(|item| Loaded { read_at, ..item })
    }
}

impl Origin for OriginPort {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(self.read(key, cx))
    }

    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(self.write(key, cx))
    }
}

/// Marks a read whose caller is gone: dropped before it was told.
struct Listening {
    origin: Arc<SimOrigin>,
    row: usize,
    told: bool,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if !self.told
            && let Some(read) = self.origin.state().ledger.get_mut(self.row)
        {
            read.outcome.get_or_insert(ReadEnd::Abandoned);
        }
    }
}
