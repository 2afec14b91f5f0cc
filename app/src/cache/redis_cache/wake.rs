//! Wake-ups over Redis pub/sub: one channel per namespace, one subscribing connection per replica and namespace, made
//! when somebody first listens. The payload is the key. Messages that are lost while the connection is down cost their
//! listeners a fall-back poll.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use redis::RedisResult;
use redis::aio::PubSub;
use strategies::Key;
use strategies::port::{BoxFuture, Heard, Message, Messages, Subscribers, Wake};
use tokio::sync::{oneshot, watch};

use super::link::RedisLink;

/// How long a listener waits for the subscription to stand, and a broken one before it is made again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Who listens, for one key or for all.
#[derive(Default)]
struct Listeners {
    of_key: Mutex<BTreeMap<Key, Vec<oneshot::Sender<()>>>>,
    subscribers: Subscribers,
}

/// The messages of one namespace.
pub(super) struct RedisWake {
    link: RedisLink,
    channel: String,
    listeners: Arc<Listeners>,
    subscribed: Mutex<Option<watch::Receiver<bool>>>,
}

impl RedisWake {
    pub(super) fn new(link: RedisLink, channel: String) -> Self {
        Self { link, channel, listeners: Arc::default(), subscribed: Mutex::default() }
    }

    /// A connection that hears the namespace's messages.
    pub(super) async fn subscription(&self) -> RedisResult<PubSub> {
        subscription(&self.link, &self.channel).await
    }

    /// Sends a message to all listeners.
    pub(super) async fn publish(&self, key: &Key) -> RedisResult<()> {
        let command = redis::cmd("PUBLISH").arg(&self.channel).arg(key.as_str()).to_owned();
        command.query_async::<i64>(&mut self.link.clone()).await.map(drop)
    }

    /// Waits for a message.
    pub(super) async fn hear(messages: &mut PubSub) {
        messages.on_message().next().await;
    }

    /// Whether messages arrive now; starts the subscription where there is none yet.
    async fn is_subscribed(&self) -> bool {
        let mut subscribed = {
            let mut slot = lock(&self.subscribed);
            slot.get_or_insert_with(|| {
                let (tell, told) = watch::channel(false);
                let (link, channel) = (self.link.clone(), self.channel.clone());
                tokio::spawn(subscribe(link, channel, Arc::downgrade(&self.listeners), tell));
                told
            })
            .clone()
        };
        let standing = subscribed.wait_for(|standing| *standing);
        tokio::time::timeout(PATIENCE, standing).await.is_ok_and(|told| told.is_ok())
    }
}

impl Wake for RedisWake {
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move {
            if !self.is_subscribed().await {
                return None;
            }
            let (tell, told) = oneshot::channel();
            let mut listeners = lock(&self.listeners.of_key);
            let of_key = listeners.entry(key.clone()).or_default();
            // Listeners that have gone are forgotten here: a key that is never announced must not gather them.
            of_key.retain(|listener| !listener.is_closed());
            of_key.push(tell);
            let heard: Message = Box::pin(async move {
                // An error is a connection that was lost.
                let _ = told.await;
            });
            Some(heard)
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move {
            // Before the question: what is announced once it is answered must be heard.
            let messages = self.listeners.subscribers.subscribe();
            self.is_subscribed().await.then_some(messages)
        })
    }

    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.publish(key).await.is_ok() })
    }
}

async fn subscription(link: &RedisLink, channel: &str) -> RedisResult<PubSub> {
    let mut messages = link.listener().await?;
    messages.subscribe(channel).await?;
    Ok(messages)
}

/// Hands messages to their listeners, as long as there is a namespace to listen for.
async fn subscribe(link: RedisLink, channel: String, listeners: Weak<Listeners>, standing: watch::Sender<bool>) {
    let mut again = false;
    while let Some(alive) = listeners.upgrade() {
        if let Ok(mut messages) = subscription(&link, &channel).await {
            if again {
                // What was said since it broke nobody has heard.
                alive.subscribers.tell(&Heard::Lost);
            }
            again = true;
            drop(alive);
            standing.send_replace(true);
            let mut stream = messages.on_message();
            while let Some(message) = next(&mut stream, &listeners).await {
                let Some(listeners) = listeners.upgrade() else { return };
                let key = message.get_payload::<String>().ok().and_then(|text| Key::new(&text).ok());
                let Some(key) = key else { continue };
                listeners.subscribers.announce(&key);
                let woken = lock(&listeners.of_key).remove(&key).unwrap_or_default();
                for listener in woken {
                    let _ = listener.send(());
                }
            }
            standing.send_replace(false);
            // The listeners would hear nothing more: let go, they look for themselves and ask again whether they can listen.
            if let Some(listeners) = listeners.upgrade() {
                lock(&listeners.of_key).clear();
                listeners.subscribers.tell(&Heard::Lost);
            }
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// The next message; `None` where the connection is lost, or nobody is left to listen.
async fn next(
    stream: &mut (impl StreamExt<Item = redis::Msg> + Unpin),
    listeners: &Weak<Listeners>,
) -> Option<redis::Msg> {
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.next()).await {
            Ok(message) => return message,
            Err(_) if listeners.strong_count() == 0 => return None,
            Err(_) => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
