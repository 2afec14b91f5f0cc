//! What a server says of its own doings: what INFO, LATENCY and SLOWLOG tell, over a connection of its own. It only asks, changes nothing
//! of the server's settings or logs, and keeps no command's arguments.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{RedisResult, Value};
use serde::{Deserialize, Serialize};
use strategies::port::ConnectionLimits;

use super::address::{AddressFlaw, RedisAddress};
use super::error::sentence;
use super::link::RedisLink;

/// How long a question may take: a server that stands still for a while is what is to be seen.
const PATIENCE: Duration = Duration::from_secs(5);
/// Entries of the slow log that one question asks for. How many there were beyond these is told by their numbers.
const SLOW_MAX: u32 = 16;
/// Kinds of latency events that are told apart; a server has some twenty.
const EVENTS_MAX: usize = 64;
/// The longest name of one.
const EVENT_BYTES_MAX: usize = 40;

/// A connection that asks a server about itself.
pub struct ServerWatch {
    link: RedisLink,
    /// The number of the newest entry of the slow log; `None` before the first question.
    slow_seen: Option<i64>,
    /// When each latency event was told last, and how long it was.
    events_seen: BTreeMap<String, (i64, i64)>,
    asked: bool,
}

/// What one question found. Counts are since the server's start; `None` is what it does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSample {
    /// Memory that it uses by its own count.
    pub used_bytes: Option<u64>,
    /// Memory that the system says it has.
    pub rss_bytes: Option<u64>,
    /// Keys that it holds.
    pub keys: u64,
    /// Commands that it carried out.
    pub commands: u64,
    /// Keys that were looked up and found.
    pub hits: u64,
    /// Keys that were looked up and not found.
    pub misses: u64,
    /// Entries that it threw out for want of memory.
    pub evicted: u64,
    /// Entries that ended by their time.
    pub expired: u64,
    /// Forks (Redis 6.2 and later).
    pub forks: Option<u64>,
    /// How long the latest fork took, microseconds; `None` where there was none.
    pub fork_us: Option<u64>,
    /// Whether a snapshot is being saved.
    pub saving: bool,
    /// Snapshots that were begun (Redis 7.0 and later).
    pub saves: Option<u64>,
    /// Whether the append-only file is being written anew.
    pub rewriting: bool,
    /// Times that this was begun (Redis 7.0 and later).
    pub rewrites: Option<u64>,
    /// Bytes of the append-only file; `None` without one.
    pub aof_bytes: Option<u64>,
    /// Writes to it that had to wait for an fsync; `None` without one.
    pub delayed_fsyncs: Option<u64>,
    /// Commands that were slow by the server's own word since the question before, and the longest of them in microseconds; `None` where
    /// that may not be asked.
    pub slow: Option<(u64, u64)>,
    /// Latency events since the question before: which, and how many milliseconds; `None` where that may not be asked.
    pub events: Option<Vec<(String, u64)>>,
}

impl ServerWatch {
    /// To an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: impl Into<RedisAddress>) -> Result<Self, AddressFlaw> {
        let link = RedisLink::new(&to.into(), ConnectionLimits { connect: PATIENCE, reply: PATIENCE })?;
        Ok(Self { link, slow_seen: None, events_seen: BTreeMap::new(), asked: false })
    }

    /// Asks. The first answer is what the server was before: it has no slow commands and no latency events.
    ///
    /// # Errors
    /// A sentence where it does not answer, or INFO may not be asked.
    pub async fn ask(&mut self) -> Result<ServerSample, String> {
        let info: String = redis::cmd("INFO").query_async(&mut self.link).await.map_err(|e| sentence(&e))?;
        let events: RedisResult<Value> = redis::cmd("LATENCY").arg("LATEST").query_async(&mut self.link).await;
        let slow: RedisResult<Value> = redis::cmd("SLOWLOG").arg("GET").arg(SLOW_MAX).query_async(&mut self.link).await;
        let mut sample = read_info(&info);
        sample.events = events.ok().map(|value| self.new_events(&value));
        sample.slow = slow.ok().map(|value| self.new_slow(&value));
        self.asked = true;
        Ok(sample)
    }

    /// What LATENCY LATEST has that it had not before: an event keeps its second and its length until the next of its kind.
    fn new_events(&mut self, value: &Value) -> Vec<(String, u64)> {
        let mut new = Vec::new();
        for row in items(value).iter().map(items) {
            let [name, at, ms, ..] = row else { continue };
            let (Some(name), Some(at), Some(ms)) = (word(name), whole(at), whole(ms)) else { continue };
            if self.events_seen.len() >= EVENTS_MAX && !self.events_seen.contains_key(&name) {
                continue;
            }
            let before = self.events_seen.insert(name.clone(), (at, ms));
            if self.asked && before != Some((at, ms)) {
                new.push((name, ms.max(0).unsigned_abs()));
            }
        }
        new
    }

    /// How many entries of the slow log are new, by their numbers, and the longest of those that are told.
    fn new_slow(&mut self, value: &Value) -> (u64, u64) {
        let rows = items(value).iter().filter_map(|row| match items(row) {
            [id, _, us, ..] => Some((whole(id)?, whole(us)?)),
            _ => None,
        });
        let rows: Vec<(i64, i64)> = rows.collect();
        // A log that was emptied goes on counting.
        let newest = rows.iter().map(|(id, _)| *id).max();
        let seen = self.slow_seen;
        self.slow_seen = newest.or(seen).or(Some(-1));
        let (Some(newest), Some(seen)) = (newest, seen) else { return (0, 0) };
        let longest = rows.iter().filter(|(id, _)| *id > seen).map(|(_, us)| *us).max().unwrap_or(0);
        (newest.saturating_sub(seen).max(0).unsigned_abs(), longest.max(0).unsigned_abs())
    }
}

fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { &[] }
}

fn whole(value: &Value) -> Option<i64> {
    if let Value::Int(whole) = value { Some(*whole) } else { None }
}

/// A plain word, as the names of events are.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?,
        Value::SimpleString(text) => text,
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    (!text.is_empty() && text.len() <= EVENT_BYTES_MAX && text.chars().all(plain)).then(|| text.to_owned())
}

fn read_info(info: &str) -> ServerSample {
    let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.trim().split_once(':')).collect();
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<u64>().ok());
    let count = |name: &str| number(name).unwrap_or(0);
    let is = |name: &str| number(name) == Some(1);
    let databases =
        fields.iter().filter(|(name, _)| name.strip_prefix("db").is_some_and(|db| db.parse::<u32>().is_ok()));
    let keys = databases.filter_map(|(_, text)| text.strip_prefix("keys=")?.split(',').next()?.parse::<u64>().ok());
    let forks = number("total_forks");
    ServerSample {
        used_bytes: number("used_memory"),
        rss_bytes: number("used_memory_rss"),
        keys: keys.fold(0, u64::saturating_add),
        commands: count("total_commands_processed"),
        hits: count("keyspace_hits"),
        misses: count("keyspace_misses"),
        evicted: count("evicted_keys"),
        expired: count("expired_keys"),
        forks,
        fork_us: number("latest_fork_usec").filter(|us| *us > 0),
        saving: is("rdb_bgsave_in_progress"),
        saves: number("rdb_saves"),
        rewriting: is("aof_rewrite_in_progress"),
        rewrites: number("aof_rewrites"),
        aof_bytes: number("aof_current_size"),
        delayed_fsyncs: number("aof_delayed_fsync"),
        slow: None,
        events: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> ServerWatch {
        ServerWatch::new("redis://127.0.0.1:1").unwrap()
    }

    fn slow(rows: &[(i64, i64)]) -> Value {
        let row = |(id, us): &(i64, i64)| Value::Array(vec![Value::Int(*id), Value::Int(7), Value::Int(*us)]);
        Value::Array(rows.iter().map(row).collect())
    }

    #[test]
    fn what_was_slow_before_the_first_question_is_not_told() {
        let mut watch = watch();
        assert_eq!(watch.new_slow(&slow(&[(4, 100), (3, 900)])), (0, 0));
        assert_eq!(watch.new_slow(&slow(&[(4, 100), (3, 900)])), (0, 0));
        assert_eq!(watch.new_slow(&slow(&[(30, 50), (29, 70), (4, 1000)])), (26, 70), "more than are told");
        assert_eq!(watch.new_slow(&slow(&[])), (0, 0));
        assert_eq!(watch.new_slow(&slow(&[(31, 5)])), (1, 5));
    }

    #[test]
    fn an_event_is_told_once_and_words_that_are_none_are_not() {
        let mut watch = watch();
        let event = |name: &str, at, ms| {
            Value::Array(vec![Value::BulkString(name.into()), Value::Int(at), Value::Int(ms), Value::Int(ms)])
        };
        assert_eq!(watch.new_events(&Value::Array(vec![event("fork", 1, 20)])), []);
        watch.asked = true;
        let both = Value::Array(vec![event("fork", 1, 20), event("aof-write", 2, 30), event("a b", 2, 1)]);
        assert_eq!(watch.new_events(&both), [("aof-write".to_owned(), 30)]);
        assert_eq!(watch.new_events(&both), []);
        assert_eq!(watch.new_events(&Value::Int(3)), []);
    }

    #[test]
    fn what_info_does_not_have_is_not_known() {
        let sample = read_info("# Stats\r\nevicted_keys:7\r\nused_memory:x\r\ndb0:keys=3,expires=1\r\ndb1:keys=4\r\n");
        assert_eq!((sample.evicted, sample.used_bytes, sample.keys, sample.forks), (7, None, 7, None));
    }
}
