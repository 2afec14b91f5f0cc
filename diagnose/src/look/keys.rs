//! A bounded sample of keys: when they end, how large they are, and, where the server counts that, how often they are asked for.
//!
//! SCAN walks the table in the order of hashes, so its first pages are a fair sample of names. What is kept of a key is its pattern and
//! two numbers; names are kept of the few largest and hottest alone.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use tokio::time::Instant;

use crate::allowed::{AllowedDoor, RedisCommand};
use crate::error::DiagnoseError;
use crate::escape;
use crate::look::pattern::{pattern, wider};
use crate::look::unseen::NotSeen;
use crate::wire::resp::RespReply;

/// Keys that a page of SCAN is to have.
const PAGE: &str = "1000";
/// Keys that are asked about at once: about half a millisecond of the server's time.
const BATCH: usize = 200;
/// How long may be spent on keys. What was seen by then is what is told.
const KEYS_LIMIT: Duration = Duration::from_secs(10);
/// So many pages more than a full table needs: one that shrank has many empty places.
const PAGES_SPARE: u32 = 100;
/// Longer names are not asked about, in bytes.
const NAME_BYTES_MAX: usize = 4 << 10;
/// Members of a collection that are looked at for its size.
const SAMPLES: &str = "5";
/// Of the largest and the hottest, so many are kept.
const TOP: usize = 5;
/// The most patterns that are kept; a use with many keys is among the first.
const GROUPS_MAX: usize = 20_000;
/// A pattern without a number in it that fewer keys have is widened.
const WIDEN_BELOW: u64 = 5;

/// A sample of a database's keys.
#[derive(Debug, Clone, Default)]
pub struct KeysLookedAt {
    /// Which database.
    pub database: u32,
    /// Keys that were looked at.
    pub looked_at: u64,
    /// Keys that the database has, by its own count.
    pub there: u64,
    /// Whether the walk came to its end, so that all were looked at.
    pub is_all: bool,
    /// Of those with a TTL: the time until each ends, from the look's beginning, in ms, ascending.
    pub ends_ms: Vec<u64>,
    /// By pattern.
    pub groups: BTreeMap<String, KeyGroup>,
    /// The largest, largest first.
    pub largest: Vec<LargeKey>,
    /// The hottest by the server's counter, hottest first; `None` where it has none.
    pub hottest: Option<Vec<HotKey>>,
    /// Whether MEMORY USAGE told how large they are.
    pub has_sizes: bool,
    /// Keys that our user may not look at, and those whose names are too long to be asked about.
    pub passed_over: u64,
}

/// Keys of one pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyGroup {
    /// How many were looked at.
    pub keys: u64,
    /// How many of them end by themselves.
    pub with_ttl: u64,
    /// The name of one that does not, as it may be shown.
    pub endless: Option<String>,
}

/// A large key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeKey {
    /// Its name, as it may be shown.
    pub name: String,
    /// `string`, `hash` …; empty where the server does not say.
    pub kind: String,
    /// Its bytes, of a collection estimated from a few members.
    pub bytes: u64,
    raw: Vec<u8>,
}

/// A key that is asked for often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotKey {
    /// Its name, as it may be shown.
    pub name: String,
    /// The server's logarithmic counter, 0 to 255.
    pub counter: u64,
}

impl KeysLookedAt {
    /// How the figures of the sample are to be read.
    #[must_use]
    pub fn of_how_many(&self) -> String {
        if self.is_all {
            format!("of all {} keys", self.looked_at)
        } else {
            format!("of {} keys looked at, of {}", self.looked_at, self.there)
        }
    }

    /// What so many of the sample stand for in the whole database.
    #[must_use]
    pub fn scaled(&self, count: u64) -> u64 {
        if self.is_all || self.looked_at == 0 {
            return count;
        }
        (count as f64 * self.there as f64 / self.looked_at as f64).round() as u64
    }
}

/// What is to be looked at.
pub(super) struct KeysAsked {
    pub(super) database: u32,
    pub(super) there: u64,
    pub(super) most: u32,
    /// Whether the server counts how often a key is asked for.
    pub(super) has_counters: bool,
}

/// Takes the sample.
pub(super) async fn look_at_keys(
    door: &mut AllowedDoor,
    asked: KeysAsked,
    not_seen: &mut Vec<NotSeen>,
) -> Result<Option<KeysLookedAt>, DiagnoseError> {
    let begun = Instant::now();
    let mut sampling = Sampling::new(&asked, begun);
    let mut cursor = b"0".to_vec();
    for _ in 0..asked.most / 1000 + PAGES_SPARE {
        let scan = RedisCommand::of("SCAN").with(cursor).with("COUNT").with(PAGE);
        let reply = door.ask(vec![scan]).await?.pop();
        let page = match reply {
            Some(RespReply::List(page)) => page,
            Some(RespReply::Refused(said)) => {
                refused("SCAN", &said, not_seen);
                return Ok(None);
            }
            _ => return Err(DiagnoseError::NotRedis("an answer to SCAN that is no page of keys".into())),
        };
        let [next, names] = &page[..] else { break };
        cursor = next.text().unwrap_or(b"0").to_vec();
        let names: Vec<&[u8]> =
            names.list().unwrap_or_default().iter().filter_map(|name| sampling.wanted(name)).collect();
        for batch in names.chunks(BATCH) {
            let replies = door.ask(sampling.questions(batch)).await?;
            sampling.take(batch, &replies);
        }
        sampling.seen.is_all = cursor == b"0";
        if sampling.seen.is_all || sampling.is_full() || begun.elapsed() > KEYS_LIMIT {
            break;
        }
    }
    let mut seen = sampling.end(not_seen);
    name_the_kinds(door, &mut seen.largest).await?;
    Ok(Some(seen))
}

struct Sampling {
    seen: KeysLookedAt,
    most: u64,
    begun: Instant,
    has_counters: bool,
    hottest: Vec<HotKey>,
    known: HashSet<u64>,
    said: BTreeMap<&'static str, Vec<u8>>,
}

impl Sampling {
    fn new(asked: &KeysAsked, begun: Instant) -> Self {
        let seen = KeysLookedAt { database: asked.database, there: asked.there, ..KeysLookedAt::default() };
        let (most, has_counters) = (asked.most.into(), asked.has_counters);
        Self { seen, most, begun, has_counters, hottest: Vec::new(), known: HashSet::new(), said: BTreeMap::new() }
    }

    fn is_full(&self) -> bool {
        self.known.len() as u64 >= self.most
    }

    /// The name, where it is a new one of a length that may be asked about, and there is room for it.
    fn wanted<'a>(&mut self, name: &'a RespReply) -> Option<&'a [u8]> {
        if self.is_full() {
            return None;
        }
        let Some(name) = name.text().filter(|name| name.len() <= NAME_BYTES_MAX) else {
            self.seen.passed_over += 1;
            return None;
        };
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        self.known.insert(hasher.finish()).then_some(name)
    }

    fn questions(&self, batch: &[&[u8]]) -> Vec<RedisCommand> {
        let mut questions = Vec::new();
        for name in batch {
            questions.push(RedisCommand::of("PTTL").with(*name));
            questions.push(RedisCommand::of("MEMORY USAGE").with(*name).with("SAMPLES").with(SAMPLES));
            if self.has_counters {
                questions.push(RedisCommand::of("OBJECT FREQ").with(*name));
            }
        }
        questions
    }

    fn take(&mut self, batch: &[&[u8]], replies: &[RespReply]) {
        let since_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        for (name, replies) in batch.iter().zip(replies.chunks(if self.has_counters { 3 } else { 2 })) {
            self.take_one(name, replies, since_ms);
        }
    }

    fn take_one(&mut self, name: &[u8], replies: &[RespReply], since_ms: u64) {
        let ttl = match &replies[0] {
            RespReply::Number(ttl) => *ttl,
            refused => {
                self.note("PTTL", refused);
                self.seen.passed_over += 1;
                return;
            }
        };
        if ttl < -1 {
            return; // It has ended meanwhile.
        }
        self.seen.looked_at += 1;
        let ends = u64::try_from(ttl).ok().map(|ttl| ttl.saturating_add(since_ms));
        self.seen.ends_ms.extend(ends);
        self.group(name, ends.is_some());
        match replies.get(1) {
            Some(RespReply::Number(bytes)) => {
                self.seen.has_sizes = true;
                self.keep_large(name, (*bytes).try_into().unwrap_or(0));
            }
            Some(refused) => self.note("MEMORY USAGE", refused),
            None => {}
        }
        match replies.get(2) {
            Some(RespReply::Number(counter)) => self.keep_hot(name, (*counter).try_into().unwrap_or(0)),
            Some(refused) => self.note("OBJECT FREQ", refused),
            None => {}
        }
    }

    fn group(&mut self, name: &[u8], ends: bool) {
        let pattern = pattern(name);
        if self.seen.groups.len() == GROUPS_MAX && !self.seen.groups.contains_key(&pattern) {
            return;
        }
        let group = self.seen.groups.entry(pattern).or_default();
        group.keys += 1;
        if ends {
            group.with_ttl += 1;
        } else {
            group.endless.get_or_insert_with(|| escape::name(name));
        }
    }

    fn note(&mut self, command: &'static str, reply: &RespReply) {
        if let RespReply::Refused(said) = reply {
            self.said.entry(command).or_insert_with(|| said.clone());
        }
    }

    fn keep_large(&mut self, name: &[u8], bytes: u64) {
        let at = self.seen.largest.partition_point(|one| one.bytes >= bytes);
        if at < TOP {
            let large = LargeKey { name: escape::name(name), kind: String::new(), bytes, raw: name.to_vec() };
            self.seen.largest.insert(at, large);
            self.seen.largest.truncate(TOP);
        }
    }

    fn keep_hot(&mut self, name: &[u8], counter: u64) {
        let at = self.hottest.partition_point(|one| one.counter >= counter);
        if at < TOP {
            self.hottest.insert(at, HotKey { name: escape::name(name), counter });
            self.hottest.truncate(TOP);
        }
    }

    fn tell_of_those_passed_over(&mut self, not_seen: &mut Vec<NotSeen>) {
        if self.seen.passed_over == 0 {
            return;
        }
        let count = self.seen.passed_over;
        match self.said.remove("PTTL") {
            Some(said) => {
                refused("PTTL", &said, not_seen);
                if let Some(told) = not_seen.last_mut() {
                    told.why = format!("{} ({count} keys passed over)", told.why);
                }
            }
            None => {
                let why = format!("{count} keys passed over, whose names are longer than {NAME_BYTES_MAX} bytes");
                not_seen.push(NotSeen::because("some keys", "PTTL", why));
            }
        }
    }

    fn end(mut self, not_seen: &mut Vec<NotSeen>) -> KeysLookedAt {
        self.tell_of_those_passed_over(not_seen);
        self.said.iter().for_each(|(command, said)| refused(command, said, not_seen));
        self.seen.ends_ms.sort_unstable();
        self.seen.hottest = (self.has_counters && !self.hottest.is_empty()).then_some(self.hottest);
        self.seen.groups = widened(self.seen.groups);
        self.seen
    }
}

/// Patterns without a number that few keys have are one with their neighbours.
fn widened(groups: BTreeMap<String, KeyGroup>) -> BTreeMap<String, KeyGroup> {
    let mut all: BTreeMap<String, KeyGroup> = BTreeMap::new();
    for (pattern, group) in groups {
        let pattern = if group.keys < WIDEN_BELOW { wider(&pattern).unwrap_or(pattern) } else { pattern };
        let into = all.entry(pattern).or_default();
        into.keys += group.keys;
        into.with_ttl += group.with_ttl;
        into.endless = into.endless.take().or(group.endless);
    }
    all
}

/// Of the largest keys, what they are.
async fn name_the_kinds(door: &mut AllowedDoor, largest: &mut [LargeKey]) -> Result<(), DiagnoseError> {
    if largest.is_empty() {
        return Ok(());
    }
    let questions = largest.iter().map(|key| RedisCommand::of("TYPE").with(key.raw.clone())).collect();
    for (key, reply) in largest.iter_mut().zip(door.ask(questions).await?) {
        key.kind = reply.text().map(escape::name).unwrap_or_default();
    }
    Ok(())
}

fn refused(command: &str, said: &[u8], not_seen: &mut Vec<NotSeen>) {
    if let Some(row) = RedisCommand::of(command).allowed() {
        not_seen.push(NotSeen::refused(row, said));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_sample_say_so() {
        let mut keys = KeysLookedAt { looked_at: 100, there: 1000, ..KeysLookedAt::default() };
        assert_eq!((keys.of_how_many(), keys.scaled(7)), ("of 100 keys looked at, of 1000".into(), 70));
        keys.is_all = true;
        assert_eq!((keys.of_how_many(), keys.scaled(7)), ("of all 100 keys".into(), 7));
        assert_eq!(KeysLookedAt::default().scaled(7), 7);
    }

    #[test]
    fn few_keys_with_names_and_no_numbers_are_one_group() {
        let one = |endless: &str| KeyGroup { keys: 1, with_ttl: 1, endless: Some(endless.into()) };
        let groups = [("user:ann", "a"), ("user:bob", "b"), ("x", "c")].map(|(name, e)| (name.to_owned(), one(e)));
        let widened = widened(groups.into());
        assert_eq!(widened.keys().collect::<Vec<_>>(), ["user:*", "x"]);
        assert_eq!((widened["user:*"].keys, widened["user:*"].endless.as_deref()), (2, Some("a")));
    }
}
