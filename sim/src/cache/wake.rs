//! Messages between replicas: each goes over the links of those who hear it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_channel::oneshot;
use strategies::Key;
use strategies::port::{BoxFuture, Heard, Message, Messages, Wake};

use super::{CachePort, CacheServer, lock};

impl Wake for CachePort {
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move {
            let (tell, told) = oneshot::channel();
            let mut listeners = lock(&self.subscriber.listeners);
            let of_key = listeners.entry(key.clone()).or_default();
            // Listeners that have gone are forgotten here: a key that is never announced must not gather them.
            of_key.retain(|listener: &oneshot::Sender<()>| !listener.is_canceled());
            of_key.push(tell);
            let heard: Message = Box::pin(async move {
                if told.await.is_err() {
                    std::future::pending::<()>().await;
                }
            });
            Some(heard)
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move { Some(self.subscriber.subscribers.subscribe()) })
    }

    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool> {
        let (of, key) = (key, key.clone());
        Box::pin(async move {
            // Best effort: a message that is not sent costs a fall-back poll.
            let _ = self.write(false, (of, 0), move |server| server.fan_out(&key)).await;
            // In a simulated world only what the scenario does loses messages.
            true
        })
    }
}

impl CacheServer {
    /// Sends a message to every replica, each over its own link.
    fn fan_out(&self, key: &Key) {
        for subscriber in lock(&self.subscribers).iter() {
            let Some(at) = subscriber.link.back.deliver(self.world.now()) else {
                subscriber.missed.store(true, Relaxed);
                continue;
            };
            let (world, subscriber, key) = (self.world.clone(), Arc::clone(subscriber), key.clone());
            // The replica's own task: one that stands still hears later, one that crashes never.
            self.world.spawn(subscriber.replica, async move {
                world.sleep_until(at).await;
                if subscriber.missed.swap(false, Relaxed) {
                    subscriber.subscribers.tell(&Heard::Lost);
                }
                subscriber.subscribers.announce(&key);
                for listener in lock(&subscriber.listeners).remove(&key).unwrap_or_default() {
                    let _ = listener.send(());
                }
            });
        }
    }
}
