//! `[cache.redis]`: what the lab's own Redis is set up with.
//!
//! A list of what may be set, each with its values: a setting that moves the server, opens it or makes it write where it should not
//! is not in it. What is set is kept as it was meant, and told to a server in its own words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::quoted::quoted;
use crate::schema::tree::Value;
use crate::schema::walk::{Fields, Walk};
use strategies::units::{SIZE, size_text};

const YES_NO: &[&str] = &["yes", "no"];
const FSYNC: &[&str] = &["always", "everysec", "no"];
const POLICIES: &[&str] = &[
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];
const MIB: u32 = 1 << 20;
/// Save points at most, and the longest and most of each.
const SAVE_POINTS_MAX: usize = 8;
const SAVE_MAX: u32 = 1_000_000_000;
const SAVE_WORDS: &str = "\"\" for never, or pairs of seconds and changes, as \"60 1000\", at most 8 of them";

/// What the values of a setting are.
#[derive(Debug, Clone, Copy)]
pub enum ServerRange {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number, from and to.
    Whole(u32, u32),
    /// A number of bytes, from and to.
    Bytes(u32, u32),
    /// Pairs of seconds and changes; none is never.
    SavePoints,
}

use ServerRange::{Bytes, SavePoints, Whole, Words};

/// Every setting that may be made.
pub const SERVER_SETTINGS: [(&str, ServerRange); 25] = [
    ("appendonly", Words(YES_NO)),
    ("appendfsync", Words(FSYNC)),
    ("no-appendfsync-on-rewrite", Words(YES_NO)),
    ("auto-aof-rewrite-percentage", Whole(0, 10_000)),
    ("auto-aof-rewrite-min-size", Bytes(1, u32::MAX)),
    ("aof-use-rdb-preamble", Words(YES_NO)),
    ("save", SavePoints),
    ("rdbcompression", Words(YES_NO)),
    ("stop-writes-on-bgsave-error", Words(YES_NO)),
    ("maxmemory", Bytes(MIB, u32::MAX)),
    ("maxmemory-policy", Words(POLICIES)),
    ("maxmemory-samples", Whole(1, 64)),
    ("maxmemory-eviction-tenacity", Whole(0, 100)),
    ("lfu-log-factor", Whole(0, 255)),
    ("lfu-decay-time", Whole(0, 65_535)),
    ("active-expire-effort", Whole(1, 10)),
    ("lazyfree-lazy-eviction", Words(YES_NO)),
    ("lazyfree-lazy-expire", Words(YES_NO)),
    ("hz", Whole(1, 500)),
    ("dynamic-hz", Words(YES_NO)),
    ("io-threads", Whole(1, 16)),
    ("latency-monitor-threshold", Whole(0, 10_000)),
    ("slowlog-log-slower-than", Whole(0, 10_000_000)),
    (NODE_TIMEOUT, Whole(100, 60_000)),
    (DOWN_AFTER, Whole(100, 60_000)),
];

const NODE_TIMEOUT: &str = "cluster-node-timeout";
/// Milliseconds after which Sentinels take the server for down: their setting, and not the server's.
const DOWN_AFTER: &str = "down-after-milliseconds";

/// Their names.
pub(crate) const NAMES: [&str; SERVER_SETTINGS.len()] = {
    let mut names = [""; SERVER_SETTINGS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SERVER_SETTINGS[at].0;
        at += 1;
    }
    names
};

/// A value as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerValue {
    /// A word, or the pairs of `save`.
    Text(String),
    /// A number.
    Whole(u32),
    /// A number of bytes.
    Bytes(u32),
}

/// What the lab's own Redis is set up with; nothing is what the lab does without a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSettings(BTreeMap<&'static str, ServerValue>);

impl ServerSettings {
    /// The same with one of [`SERVER_SETTINGS`] as well.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: ServerValue) -> Self {
        self.0.insert(name, value);
        self
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the server may throw entries out for want of memory.
    #[must_use]
    pub fn bounds_memory(&self) -> bool {
        self.0.contains_key("maxmemory")
    }

    /// After how long a silence a cluster's nodes take one of them for dead.
    #[must_use]
    pub fn node_timeout(&self) -> Duration {
        self.milliseconds(NODE_TIMEOUT, 2000)
    }

    /// After how long a silence Sentinels take the server for down.
    #[must_use]
    pub fn down_after(&self) -> Duration {
        self.milliseconds(DOWN_AFTER, 1000)
    }

    fn milliseconds(&self, name: &str, usual: u32) -> Duration {
        match self.0.get(name) {
            Some(ServerValue::Whole(ms)) => Duration::from_millis(u64::from(*ms)),
            _ => Duration::from_millis(u64::from(usual)),
        }
    }

    /// Each as a scenario writes it, without quotes.
    #[must_use]
    pub fn in_words(&self) -> BTreeMap<String, String> {
        let text = |value: &ServerValue| match value {
            ServerValue::Text(text) => text.clone(),
            ServerValue::Whole(number) => number.to_string(),
            ServerValue::Bytes(bytes) => size_text(*bytes),
        };
        self.0.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    }

    /// Each as a Redis takes it.
    #[must_use]
    pub fn for_server(&self) -> BTreeMap<String, String> {
        let text = |value: &ServerValue| match value {
            ServerValue::Text(text) => text.clone(),
            ServerValue::Whole(number) | ServerValue::Bytes(number) => number.to_string(),
        };
        let of_server = self.0.iter().filter(|(name, _)| ![NODE_TIMEOUT, DOWN_AFTER].contains(name));
        of_server.map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    }

    /// The same on its command line: `--name`, value.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.for_server().into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }

    /// Reads `[cache.redis]` of the table that has it.
    pub(crate) fn read(walk: &mut Walk<'_>, within: &Fields<'_>) -> Option<Self> {
        let Some(fields) = walk.section(within, "cache.redis", &NAMES, false) else { return Some(Self::default()) };
        let mut settings = Self::default();
        let mut whole = true;
        for (name, takes) in SERVER_SETTINGS.iter().filter(|(name, _)| fields.has(name)) {
            match read_one(walk, &fields, name, *takes) {
                Some(value) => settings = settings.with(name, value),
                None => whole = false,
            }
        }
        whole.then_some(settings)
    }

    pub(crate) fn write(&self, out: &mut String) {
        if self.is_empty() {
            return;
        }
        out.push_str("\n[cache.redis]\n");
        for (name, value) in &self.0 {
            let value = match value {
                ServerValue::Text(text) => quoted(text),
                ServerValue::Whole(number) => number.to_string(),
                ServerValue::Bytes(bytes) => quoted(&size_text(*bytes)),
            };
            let _ = writeln!(out, "{name} = {value}");
        }
    }
}

fn read_one(walk: &mut Walk<'_>, fields: &Fields<'_>, name: &str, takes: ServerRange) -> Option<ServerValue> {
    match takes {
        Words(words) => {
            let words: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
            walk.word(fields, name, &words, None).map(|word| ServerValue::Text(word.to_owned()))
        }
        Whole(from, to) => walk.integer(fields, name, from..=to, None).map(ServerValue::Whole),
        Bytes(from, to) => walk.quantity(fields, name, &SIZE, from..=to, None).map(ServerValue::Bytes),
        SavePoints => {
            let node = fields.get(name)?;
            if let Value::Text(text) = &node.value
                && let Some(points) = save_points(text)
            {
                return Some(ServerValue::Text(points));
            }
            walk.refuse(node, format!("`{name}` is not a list of save points"), SAVE_WORDS, "write save = \"60 1000\"");
            None
        }
    }
}

/// Pairs of numbers, as Redis writes them; `None` where it is none of it.
fn save_points(text: &str) -> Option<String> {
    let numbers = text.split_ascii_whitespace().map(|word| {
        let number = word.parse::<u32>().ok().filter(|number| (1..=SAVE_MAX).contains(number));
        number.filter(|_| word.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let numbers: Vec<u32> = numbers.take(2 * SAVE_POINTS_MAX + 1).collect::<Option<_>>()?;
    let paired = numbers.len().is_multiple_of(2) && numbers.len() <= 2 * SAVE_POINTS_MAX;
    paired.then(|| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn save_points_are_pairs() {
        for (text, kept) in
            [("", Some("")), (" 60  1000 ", Some("60 1000")), ("3600 1 300 100", Some("3600 1 300 100"))]
        {
            assert_eq!(save_points(text).as_deref(), kept);
        }
        for text in ["60", "60 0", "a 1", "+60 1", "-1 1", "60 1000 x y", "99999999999 1", &"1 1 ".repeat(9)] {
            assert_eq!(save_points(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_server_is_told_bytes_and_people_sizes() {
        let settings = ServerSettings::default()
            .with("maxmemory", ServerValue::Bytes(8 * MIB))
            .with("save", ServerValue::Text(String::new()));
        assert_eq!(settings.arguments(), ["--maxmemory", "8388608", "--save", ""]);
        assert_eq!(settings.in_words().get("maxmemory").map(String::as_str), Some("8MiB"));
    }
}
