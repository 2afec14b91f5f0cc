//! What others ask, for a moment: how often each key, and clients that do in several commands what has to be one.
//!
//! A line of MONITOR has everything that a client sent. Of it the client, the command and the key are read, and only counts are kept.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::allowed::MonitorDoor;
use crate::error::DiagnoseError;
use crate::escape;

/// The most commands that are heard: a busy server says as many in a second.
const COMMANDS_MAX: u64 = 200_000;
/// The most keys, and the most clients, that are kept: a key that matters is among the first.
const KEPT_MAX: usize = 10_000;
/// The most steps of a client that are held back until it is known whether they are one act.
const EARLY_MAX: usize = 8;
/// Commands whose next word is no key.
const WITHOUT_KEY: [&str; 30] = [
    "PING",
    "AUTH",
    "HELLO",
    "INFO",
    "CONFIG",
    "SCAN",
    "EVAL",
    "EVALSHA",
    "SCRIPT",
    "CLIENT",
    "SELECT",
    "COMMAND",
    "CLUSTER",
    "ACL",
    "SLOWLOG",
    "LATENCY",
    "PUBLISH",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "MEMORY",
    "OBJECT",
    "REPLCONF",
    "PSYNC",
    "MULTI",
    "EXEC",
    "TIME",
    "MONITOR",
    "XREADGROUP",
    "XREAD",
    "KEYS",
];
const SETS_A_TTL: [&str; 4] = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"];
const COUNTS: [&str; 4] = ["INCR", "INCRBY", "DECR", "DECRBY"];

/// What was heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonitorHeard {
    /// For how long, in ms.
    pub for_ms: u64,
    /// Commands, those of scripts left out.
    pub commands: u64,
    /// Commands that name a key.
    pub with_key: u64,
    /// The key that was named most, and how often.
    pub hottest: Option<(String, u64)>,
    /// A key that a client read or set and then counted, in commands of their own.
    pub get_then_incr: Option<SeveralSteps>,
    /// A key that a client counted and gave its TTL afterwards, in a command of its own.
    pub incr_then_expire: Option<SeveralSteps>,
    /// Whether more was said than is listened to.
    pub is_cut: bool,
}

/// Something that was done in several commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeveralSteps {
    /// How often.
    pub times: u64,
    /// One of the keys, as it may be shown.
    pub key: String,
}

/// Listens.
pub(super) async fn listen(mut door: MonitorDoor, length: Duration) -> Result<MonitorHeard, DiagnoseError> {
    let begun = Instant::now();
    let mut ear = Ear::default();
    while ear.heard.commands < COMMANDS_MAX {
        let Some(line) = door.hear(begun + length).await? else { break };
        ear.hear(&line);
    }
    ear.heard.is_cut = ear.heard.commands == COMMANDS_MAX;
    ear.heard.for_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(ear.end())
}

#[derive(Default)]
struct Ear {
    heard: MonitorHeard,
    keys: HashMap<Vec<u8>, u64>,
    clients: HashMap<Vec<u8>, Steps>,
}

/// What is done in several commands.
#[derive(Clone, Copy)]
enum Gap {
    GetThenIncr,
    IncrThenExpire,
}

/// What a client did last.
#[derive(Default)]
struct Steps {
    in_transaction: bool,
    /// Whether it is known that it was in none when it was first heard.
    is_known: bool,
    /// What it did until that was known: an EXEC takes it back, for then it was one act.
    early: Vec<(Gap, Vec<u8>)>,
    key: Vec<u8>,
    /// It read or set the key.
    looked: bool,
    /// It counted.
    counted: bool,
}

impl Ear {
    fn hear(&mut self, line: &[u8]) {
        let Some((client, words)) = parts(line) else { return };
        // What a script does is one act, whatever its steps are.
        if client == b"lua" {
            return;
        }
        self.heard.commands += 1;
        let Some(command) = words.first().map(|word| String::from_utf8_lossy(word).to_uppercase()) else { return };
        let key = words.get(1).filter(|_| !WITHOUT_KEY.contains(&command.as_str()));
        if let Some(key) = key {
            self.heard.with_key += 1;
            if self.keys.len() < KEPT_MAX || self.keys.contains_key(key) {
                *self.keys.entry(key.clone()).or_default() += 1;
            }
        }
        if self.clients.len() < KEPT_MAX || self.clients.contains_key(client) {
            let steps = self.clients.entry(client.to_vec()).or_default();
            steps.take(&command, key, &mut self.heard);
        }
    }

    fn end(mut self) -> MonitorHeard {
        for steps in std::mem::take(&mut self.clients).into_values() {
            steps.early.iter().for_each(|(gap, key)| count(&mut self.heard, *gap, key));
        }
        let hottest = self.keys.iter().max_by_key(|(_, times)| **times);
        self.heard.hottest = hottest.map(|(key, times)| (escape::name(key), *times));
        self.heard
    }
}

impl Steps {
    fn take(&mut self, command: &str, key: Option<&Vec<u8>>, heard: &mut MonitorHeard) {
        match command {
            "MULTI" => (self.in_transaction, self.is_known) = (true, true),
            "EXEC" | "DISCARD" => {
                if !std::mem::replace(&mut self.is_known, true) {
                    self.early.clear();
                }
                self.in_transaction = false;
            }
            _ => {}
        }
        let Some(key) = key.filter(|_| !self.in_transaction) else { return };
        if *key != self.key {
            (self.key, self.looked, self.counted) = (key.clone(), false, false);
        }
        if command == "GET" || command == "SET" {
            self.looked = true;
        } else if COUNTS.contains(&command) {
            if std::mem::take(&mut self.looked) {
                self.note(Gap::GetThenIncr, heard);
            }
            self.counted = true;
        } else if SETS_A_TTL.contains(&command) && std::mem::take(&mut self.counted) {
            self.note(Gap::IncrThenExpire, heard);
        }
    }

    fn note(&mut self, gap: Gap, heard: &mut MonitorHeard) {
        if self.is_known || self.early.len() == EARLY_MAX {
            count(heard, gap, &self.key);
        } else {
            self.early.push((gap, self.key.clone()));
        }
    }
}

fn count(heard: &mut MonitorHeard, gap: Gap, key: &[u8]) {
    let steps = match gap {
        Gap::GetThenIncr => &mut heard.get_then_incr,
        Gap::IncrThenExpire => &mut heard.incr_then_expire,
    };
    steps.get_or_insert_with(|| SeveralSteps { times: 0, key: escape::name(key) }).times += 1;
}

/// The client of a line, and its first two words: `+1700000000.123456 [0 127.0.0.1:5000] "GET" "k"`.
fn parts(line: &[u8]) -> Option<(&[u8], Vec<Vec<u8>>)> {
    let open = line.iter().position(|byte| *byte == b'[')?;
    let close = open + line[open..].iter().position(|byte| *byte == b']')?;
    let client = line[open + 1..close].splitn(2, |byte| *byte == b' ').nth(1)?;
    let mut rest = &line[close + 1..];
    let mut words = Vec::new();
    while words.len() < 2 {
        let Some(begin) = rest.iter().position(|byte| *byte == b'"') else { break };
        let (word, after) = quoted(&rest[begin + 1..])?;
        words.push(word);
        rest = after;
    }
    (!words.is_empty()).then_some((client, words))
}

/// A word up to its closing mark, its escapes as they stand: they tell keys apart as well as what they stand for.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some((text[..at].to_vec(), &text[at + 1..])),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> MonitorHeard {
        let mut ear = Ear::default();
        lines.iter().for_each(|line| ear.hear(line.as_bytes()));
        ear.end()
    }

    #[test]
    fn steps_of_one_client_on_one_key_are_counted() {
        let a = |words: &str| format!("+1.5 [0 127.0.0.1:5] {words}\r\n");
        let all: Vec<String> = [
            r#""GET" "k""#,
            r#""SET" "k" "1" "EX" "60""#,
            r#""INCR" "k""#,
            r#""expire" "k" "60""#,
            r#""GET" "other""#,
            r#""INCR" "k""#,
            r#""MULTI""#,
            r#""GET" "m""#,
            r#""INCR" "m""#,
            r#""EXEC""#,
        ]
        .map(a)
        .into();
        let mut lines: Vec<&str> = all.iter().map(String::as_str).collect();
        lines.extend([r#"+1.5 [0 lua] "GET" "l""#, r#"+1.5 [0 lua] "INCR" "l""#, "+OK", "", "[", r#"[0 x] "GET"#]);
        lines.extend([r#"+1 [0 unix:/run/s] "GET" "a\"b""#, r#"+1 [0 unix:/run/s] "PING""#]);
        let heard = heard(&lines);
        let one = |key: &str| Some(SeveralSteps { times: 1, key: key.into() });
        assert_eq!((heard.get_then_incr, heard.incr_then_expire), (one("k"), one("k")));
        let mut ear = Ear::default();
        for words in [r#""INCR" "k""#, r#""EXPIRE" "k" "60""#, r#""EXEC""#] {
            ear.hear(format!("+1 [0 a] {words}\r\n").as_bytes());
        }
        assert_eq!(ear.end().incr_then_expire, None, "its MULTI came before it was heard");
        assert_eq!((heard.commands, heard.with_key, heard.hottest), (12, 9, Some(("k".into(), 5))));
    }
}
