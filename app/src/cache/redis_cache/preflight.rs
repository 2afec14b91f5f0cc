//! Whether a Redis lets the lab do what it will do, asked before a run and by the run's own code: get, put, fenced put, acquire,
//! renew, release, remove, subscribe and publish, and whatever copies hear of changes by, in a namespace of its own that is empty again afterwards.

use std::time::Duration;

use bytes::Bytes;
use evidence::CacheStatus;
use strategies::port::{
    Acquired, Bus, CacheError, CacheErrorClass, ConnectionLimits, Invalidations as _, Lookup, Removal, Token, When,
};
use strategies::time::Wall;
use strategies::{Entry, Key, Life};
use tokio::time::{Instant, sleep, timeout_at};

use super::changes::RedisChanges;
use super::error::classify;
use super::source::{RedisSource, channel};
use super::wake::RedisWake;
use crate::cache::cache_source::{CachePorts, CacheSource, RefusalCause, Refused};

/// How long all of it may take, further attempts included: a server that is slow or loading gets so much patience.
const BUDGET: Duration = Duration::from_millis(1500);
/// How long there is between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a test entry or lease lives where the server is lost before it is removed.
const LIFE: Duration = Duration::from_secs(5);
/// Keys that are asked for. A node of a cluster has some of them and not the others.
const KEYS: u32 = 16;
/// Any token will do: the namespace is nobody else's.
const TOKEN: Token = Token(1);

/// Asks until all works, until it is refused for good, or until the time is up.
pub(super) async fn preflight(source: &RedisSource, namespace: &str, buses: Vec<Bus>) -> Result<CacheStatus, Refused> {
    let deadline = Instant::now() + BUDGET;
    let mut last = Refused::at("connect", "no answer in time");
    last.cause = RefusalCause::Silent;
    while Instant::now() < deadline {
        let Ok(ended) = timeout_at(deadline, once(source, namespace, &buses)).await else { break };
        let refused = match ended {
            Ok(status) => return Ok(status),
            Err(refused) => refused,
        };
        // A server's last words before it closes the connection: the client library does not pass them on.
        let words = match refused.cause {
            RefusalCause::Gone | RefusalCause::NotRedis | RefusalCause::PasswordWrong => {
                source.connection.last_words().await
            }
            // One that does not know what it is asked for waits for the end of it.
            RefusalCause::Silent if source.connection.tls().is_some() => source.connection.last_words().await,
            _ => None,
        };
        last = words.map_or(refused.clone(), |words| Refused::at(&refused.operation, &words));
        if !last.cause.may_pass() {
            break;
        }
        sleep(PAUSE).await;
    }
    Err(last)
}

async fn once(source: &RedisSource, namespace: &str, buses: &[Bus]) -> Result<CacheStatus, Refused> {
    let status = source.info().await.map_err(at("info"))?;
    let ports = source.open(namespace);
    let ended = every_operation(&ports).await;
    let ended = match ended {
        Ok(()) => pass_a_message(source, namespace).await,
        refused => refused,
    };
    let changes = source.changes(&source.cache(namespace));
    let ended = match ended {
        Ok(()) => hear_of_changes(&changes, buses).await,
        refused => refused,
    };
    changes.remove().await;
    // Whatever was refused: nothing is left behind. What cannot be removed ends with its life.
    let key = Key::of_item(1);
    let _ = (ports.cache.remove(&key, Removal::Entry).await, ports.lease.release(&key, TOKEN).await);
    ended.map(|()| status)
}

async fn every_operation(CachePorts { cache, lease, .. }: &CachePorts) -> Result<(), Refused> {
    let keys: Vec<Key> = (1..=KEYS).map(Key::of_item).collect();
    futures_util::future::try_join_all(keys.iter().map(|key| cache.get(key))).await.map_err(at("get"))?;
    cache.get_many(&keys).await.map_err(at("get many"))?;
    let key = &keys[0];
    cache.put(key, &entry(1), When::Always).await.map_err(at("put"))?;
    let won = lease.acquire(key, TOKEN, LIFE).await.map_err(at("acquire"))?;
    cache.put(key, &entry(2), When::Fenced(TOKEN)).await.map_err(at("fenced put"))?;
    lease.renew(key, TOKEN, LIFE).await.map_err(at("renew"))?;
    let found = cache.get(key).await.map_err(at("get"))?;
    if won != Acquired::Won || !matches!(found, Lookup::Found(found, _) if found.version == 2) {
        return Err(Refused::at("get", "what was just put is not there"));
    }
    lease.release(key, TOKEN).await.map_err(at("release"))?;
    cache.remove(key, Removal::Entry).await.map_err(at("remove"))
}

async fn pass_a_message(source: &RedisSource, namespace: &str) -> Result<(), Refused> {
    let wake = RedisWake::new(source.connection.clone(), channel(namespace));
    let mut messages = wake.subscription().await.map_err(|e| at("subscribe")(classify(e)))?;
    wake.publish(&Key::of_item(1)).await.map_err(|e| at("publish")(classify(e)))?;
    let heard = tokio::time::timeout(ConnectionLimits::USUAL.reply, RedisWake::hear(&mut messages)).await;
    source.hold(Some(messages));
    heard
        .map(drop)
        .map_err(|_| Refused { cause: RefusalCause::Silent, ..Refused::at("subscribe", "the message did not come") })
}

async fn hear_of_changes(changes: &RedisChanges, buses: &[Bus]) -> Result<(), Refused> {
    for bus in buses {
        changes.try_once(*bus).await.map_err(|e| at(bus.name())(classify(e)))?;
        changes.tell(*bus, &Key::of_item(1)).await.map_err(at(bus.name()))?;
    }
    Ok(())
}

fn entry(version: u64) -> Entry {
    Entry {
        value: Some(Bytes::from_static(b"preflight")),
        version,
        read_at: Wall(0),
        stored_at: Wall(0),
        life: Life::new(LIFE, LIFE),
        delta: Duration::ZERO,
    }
}

fn at(operation: &str) -> impl Fn(CacheError) -> Refused {
    move |error| {
        let refused = Refused::at(operation, &error.message);
        match (error.class, refused.cause) {
            (CacheErrorClass::Slow, RefusalCause::Other) => Refused { cause: RefusalCause::Silent, ..refused },
            (CacheErrorClass::Down, RefusalCause::Other) => Refused { cause: RefusalCause::Gone, ..refused },
            _ => refused,
        }
    }
}
