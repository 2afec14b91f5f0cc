//! How copies in a replica learn of changes, over Redis: a channel, a stream, or the server's own tracking (RESP3).
//!
//! Each hearer has a connection of its own, which is made anew where it ends. What was said meanwhile is lost on a channel and under
//! tracking, and is told as such when the connection stands again; a stream is read on from where it stopped, and its entries' numbers,
//! which follow one another (`XADD … 0-*`), show what it no longer has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisResult, Value};
use strategies::Key;
use strategies::port::{BoxFuture, Bus, Cache, CacheError, Heard, Invalidations, Lookup, Messages, Subscribers};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::cut::{Cut, ListeningClient};
use super::driver::Driver;
use super::error::classify;
use super::link::RedisLink;

/// How long a hearer waits for its connection to stand, and a broken one before it is made again.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a silent connection is asked for a sign of life, and how long it may take to give one.
const PING_EVERY: Duration = Duration::from_millis(500);
/// How long a read of the stream waits for something new, in milliseconds.
const BLOCK_MS: u64 = 250;
/// How long a stream is kept after its last entry, in milliseconds.
const STREAM_LIFE_MS: u64 = 3_600_000;
/// Entries that one read of the stream brings.
const ENTRIES: usize = 512;

/// The shared cache over a connection.
pub(super) type CacheOver = Box<dyn Fn(MultiplexedConnection) -> Arc<dyn Cache> + Send + Sync>;

/// Changes of one namespace.
pub(super) struct RedisChanges(Arc<Inner>);

struct Inner {
    link: RedisLink,
    prefix: String,
    cut: Arc<Cut>,
    /// The connection whose reads the server remembers, where there is one.
    tracking: Mutex<Option<MultiplexedConnection>>,
    /// The shared cache, and the same over another connection.
    cache: Arc<dyn Cache>,
    over: CacheOver,
}

impl RedisChanges {
    pub(super) fn new(
        link: RedisLink,
        (cache, over): (Arc<dyn Cache>, CacheOver),
        prefix: String,
        cut: Arc<Cut>,
    ) -> Self {
        Self(Arc::new(Inner { link, prefix, cut, tracking: Mutex::default(), cache, over }))
    }
}

impl RedisChanges {
    /// Whether changes can be heard so: connects, asks for it, and lets go again.
    pub(super) async fn try_once(&self, bus: Bus) -> RedisResult<()> {
        begin(&self.0, bus, &Arc::default()).await.map(drop)
    }

    /// Removes what was left in the namespace.
    pub(super) async fn remove(&self) {
        // What cannot be removed is small, and of a namespace that nobody reads.
        let _ = redis::cmd("DEL").arg(self.0.stream()).query_async::<()>(&mut self.0.link.clone()).await;
    }
}

impl Inner {
    fn channel(&self) -> String {
        format!("{}changed", self.prefix)
    }

    fn stream(&self) -> String {
        format!("{}{{changes}}", self.prefix)
    }

    /// The item's key of a key in Redis, where it is one of an entry of ours.
    fn key(&self, name: &str) -> Option<Key> {
        Key::new(name.strip_prefix(&self.prefix)?.strip_prefix('{')?.strip_suffix("}:v")?).ok()
    }

    /// What the server pushes.
    fn pushed(&self, push: &PushInfo, heard: &Subscribers) {
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Message, [_, payload]) => {
                if let Some(key) = text(payload).and_then(|text| Key::new(&text).ok()) {
                    heard.announce(&key);
                }
            }
            (PushKind::Invalidate, [Value::Array(names)]) => {
                let keys = names.iter().filter_map(text).filter_map(|name| self.key(&name));
                keys.for_each(|key| heard.announce(&key));
            }
            // Of all keys: the server was flushed.
            (PushKind::Invalidate, _) => heard.tell(&Heard::Lost),
            _ => {}
        }
    }
}

impl Invalidations for RedisChanges {
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move {
            let heard = Arc::new(Subscribers::default());
            let messages = heard.subscribe();
            let (tell, mut stands) = watch::channel(false);
            tokio::spawn(attend(Arc::clone(&self.0), bus, heard, tell));
            let standing = timeout(PATIENCE, stands.wait_for(|stands| *stands)).await;
            standing.is_ok_and(|told| told.is_ok()).then_some(messages)
        })
    }

    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            let command = match bus {
                Bus::PubSub => redis::cmd("PUBLISH").arg(self.0.channel()).arg(key.as_str()).to_owned(),
                Bus::Streams { maxlen } => {
                    let (stream, mark) = (self.0.stream(), crate::wire::auth::entropy().unwrap_or_default());
                    let mut add = redis::pipe();
                    add.cmd("XADD").arg(&stream).arg("MAXLEN").arg(maxlen).arg("0-*");
                    add.arg("k").arg(key.as_str()).arg("m").arg(mark).ignore();
                    // Nobody removes a namespace's stream: it ends by itself.
                    add.cmd("PEXPIRE").arg(&stream).arg(STREAM_LIFE_MS).ignore();
                    return add.query_async::<()>(&mut self.0.link.clone()).await.map_err(classify);
                }
                Bus::Tracking | Bus::TrackingDefault => return Ok(()),
            };
            command.query_async::<Value>(&mut self.0.link.clone()).await.map(drop).map_err(classify)
        })
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let tracking = lock(&self.0.tracking).clone();
            if let Some(connection) = tracking
                && let Ok(found) = (self.0.over)(connection).get(key).await
            {
                return Ok(found);
            }
            // Nobody is told of its changes: what is kept of it goes when the connection stands again.
            self.0.cache.get(key).await
        })
    }
}

/// Hears until nobody wants to any more, over one connection after the other.
async fn attend(of: Arc<Inner>, bus: Bus, heard: Arc<Subscribers>, stands: watch::Sender<bool>) {
    let mut position = None;
    while !heard.is_empty() {
        of.cut.over().await;
        let again = *stands.borrow();
        let tell = || {
            // A stream tells by its numbers what was missed.
            if again && !matches!(bus, Bus::Streams { .. }) {
                heard.tell(&Heard::Lost);
            }
            stands.send_replace(true);
        };
        // Why it ended does not matter: it is made again.
        let _ = one_connection(&of, bus, &heard, &mut position, tell).await;
        *lock(&of.tracking) = None;
        if *stands.borrow() && !matches!(bus, Bus::Streams { .. }) {
            heard.tell(&Heard::Lost);
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// A connection on which changes are heard.
struct Hearing<'a> {
    connection: MultiplexedConnection,
    /// Told when it ends.
    broken: Arc<Notify>,
    _driver: Driver,
    _client: ListeningClient<'a>,
}

/// Makes a connection, and has the server tell it of changes.
async fn begin<'a>(of: &'a Arc<Inner>, bus: Bus, heard: &Arc<Subscribers>) -> RedisResult<Hearing<'a>> {
    let broken = Arc::new(Notify::new());
    let (pushes_of, pushes_to, breaks) = (Arc::clone(of), Arc::clone(heard), Arc::clone(&broken));
    let push = move |push: PushInfo| {
        match push.kind {
            PushKind::Disconnection => breaks.notify_one(),
            _ => pushes_of.pushed(&push, &pushes_to),
        }
        Ok::<(), ()>(())
    };
    let (mut connection, driver) = of.link.changes(push).await?;
    let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut connection).await?;
    let client = ListeningClient::new(&of.cut, id);
    match bus {
        Bus::PubSub => connection.subscribe(of.channel()).await?,
        Bus::Streams { .. } => drop(end_of(&mut connection, &of.stream()).await?),
        Bus::Tracking | Bus::TrackingDefault => {
            let mut tracking = redis::cmd("CLIENT");
            tracking.arg("TRACKING").arg("ON");
            if bus == Bus::Tracking {
                tracking.arg("BCAST").arg("PREFIX").arg(format!("{}{{", of.prefix));
            }
            tracking.query_async::<()>(&mut connection).await?;
        }
    }
    Ok(Hearing { connection, broken, _driver: driver, _client: client })
}

/// Hears over one connection, until it ends or nobody wants to any more.
async fn one_connection(
    of: &Arc<Inner>,
    bus: Bus,
    heard: &Arc<Subscribers>,
    position: &mut Option<Position>,
    stands: impl FnOnce(),
) -> RedisResult<()> {
    let mut hearing = begin(of, bus, heard).await?;
    match bus {
        Bus::Streams { .. } => return read_on(of, &mut hearing.connection, heard, position, stands).await,
        Bus::TrackingDefault => *lock(&of.tracking) = Some(hearing.connection.clone()),
        Bus::PubSub | Bus::Tracking => {}
    }
    stands();
    while !heard.is_empty() {
        if timeout(PING_EVERY, hearing.broken.notified()).await.is_ok() {
            break;
        }
        redis::cmd("PING").query_async::<()>(&mut hearing.connection).await?;
    }
    Ok(())
}

/// Entries of a stream: each its id, and its fields and values in turns.
type StreamEntries = Vec<(String, Vec<String>)>;

/// Where a reader of the stream stands: the last entry that it knows, by its number, and what that entry was. A stream that was removed
/// begins its numbers anew, so the number alone does not tell.
#[derive(Clone, PartialEq)]
struct Position(Option<(u64, Vec<String>)>);

impl Position {
    fn number(&self) -> u64 {
        self.0.as_ref().map_or(0, |(number, _)| *number)
    }
}

/// Reads the stream from where it stopped, or from its end where it has not begun.
async fn read_on(
    of: &Inner,
    connection: &mut MultiplexedConnection,
    heard: &Subscribers,
    position: &mut Option<Position>,
    stands: impl FnOnce(),
) -> RedisResult<()> {
    let stream = of.stream();
    let read = match position {
        Some(read) => read,
        None => position.insert(end_of(connection, &stream).await?),
    };
    stands();
    while !heard.is_empty() {
        let from = format!("0-{}", read.number());
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(ENTRIES).arg("BLOCK").arg(BLOCK_MS).arg("STREAMS").arg(&stream).arg(&from);
        let news: Option<BTreeMap<String, StreamEntries>> = command.query_async(connection).await?;
        if !is_there(connection, &stream, read).await? {
            // It was removed, or is too short: what is there now, and what was before it, may have been missed.
            *read = end_of(connection, &stream).await?;
            heard.tell(&Heard::Lost);
            continue;
        }
        for (id, fields) in news.into_iter().flat_map(BTreeMap::into_values).flatten() {
            let number = number_of(&id).unwrap_or(read.number() + 1);
            if number != read.number() + 1 {
                heard.tell(&Heard::Lost);
            }
            if let Some(key) = fields.get(1).and_then(|key| Key::new(key).ok()) {
                heard.announce(&key);
            }
            *read = Position(Some((number, fields)));
        }
    }
    Ok(())
}

/// Whether the entry up to which a stream was read is still in it, and the same.
async fn is_there(connection: &mut MultiplexedConnection, stream: &str, read: &Position) -> RedisResult<bool> {
    let Position(Some((number, fields))) = read else { return Ok(true) };
    let id = format!("0-{number}");
    let found: StreamEntries = redis::cmd("XRANGE").arg(stream).arg(&id).arg(&id).query_async(connection).await?;
    Ok(found.first().is_some_and(|(_, found)| found == fields))
}

/// A stream's last entry, where it has one.
async fn end_of(connection: &mut MultiplexedConnection, stream: &str) -> RedisResult<Position> {
    let last = redis::cmd("XREVRANGE").arg(stream).arg("+").arg("-").arg("COUNT").arg(1).to_owned();
    let last: StreamEntries = last.query_async(connection).await?;
    Ok(Position(last.into_iter().next().and_then(|(id, fields)| Some((number_of(&id)?, fields)))))
}

fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("0-")?.parse().ok()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
