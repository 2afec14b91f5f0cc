//! Events as text: reading them, and writing them back.
//!
//! One table says which fields each action needs and takes; a field that an action would ignore is refused, because it
//! would make a scenario say something that does not happen.

use std::fmt::Write as _;
use std::time::Duration;

use crate::event::{Action, Event, Target};
use crate::schema::nearest::did_you_mean;
use crate::schema::source::safe;
use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;
use strategies::units::{DURATION, duration_text};

const FACTOR_MAX: f64 = 1000.0;
const LENGTH_MAX: Duration = Duration::from_secs(24 * 3600);
const ADDED_MAX: Duration = Duration::from_secs(60);
/// The last replica that can be named; how many there are is known at the run.
const REPLICA_MAX: u32 = 999;
const NS: Duration = Duration::from_nanos(1);

/// An action's word, the fields it needs, and those it takes besides.
struct Shape {
    word: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
}

const fn shape(word: &'static str, needs: &'static [&'static str], takes: &'static [&'static str]) -> Shape {
    Shape { word, needs, takes }
}

const SHAPES: [Shape; 13] = [
    shape("expire", &[], &["key"]),
    shape("flush", &[], &[]),
    shape("origin-slow", &["factor", "for"], &[]),
    shape("origin-fail", &["for"], &[]),
    shape("origin-pause", &["for"], &[]),
    shape("cache-stop", &["for"], &[]),
    shape("cache-pause", &["for"], &[]),
    shape("cache-restart", &[], &[]),
    shape("cache-latency", &["add", "for"], &[]),
    shape("network-cut", &["for"], &["target"]),
    shape("replica-kill", &[], &["target"]),
    shape("replica-pause", &["for"], &["target"]),
    shape("replica-restart", &[], &["target"]),
];

/// The fields that only some actions take.
const OPTIONAL: [&str; 5] = ["for", "factor", "add", "target", "key"];

/// The values of those fields, where given.
#[derive(Default)]
struct Given {
    length: Option<Duration>,
    factor: Option<f64>,
    added: Option<Duration>,
    target: Option<Target>,
    key: Option<u32>,
}

impl Event {
    /// Reads one event; `end` is the run's duration and `keys` its keys, where they are known.
    pub(crate) fn read(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        end: Option<Duration>,
        keys: Option<&Keys>,
    ) -> Option<Self> {
        let at = walk.quantity(fields, "at", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        if let (Some(at), Some(end), Some(node)) = (at, end, fields.get("at"))
            && at >= end
        {
            let allowed = format!("less than the duration, {}", duration_text(end));
            walk.refuse(
                node,
                "the event comes after the end of the run",
                &allowed,
                "move it earlier, or lengthen the run",
            );
        }
        let shape = read_shape(walk, fields)?;
        let given = shape.read_given(walk, fields, keys)?;
        Some(Self { at: at?, action: action(shape.word, &given)? })
    }

    /// The replica that the event names by number.
    #[must_use]
    pub fn replica(&self) -> Option<u32> {
        match given(&self.action).1.target {
            Some(Target::Replica(number)) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (word, given) = given(&self.action);
        let _ = writeln!(out, "\n[[event]]\nat = \"{}\"\ndo = \"{word}\"", duration_text(self.at));
        if let Some(key) = given.key {
            let _ = writeln!(out, "key = {key}");
        }
        if let Some(target) = given.target {
            let _ = writeln!(out, "target = \"{target}\"");
        }
        if let Some(factor) = given.factor {
            let _ = writeln!(out, "factor = {factor:?}");
        }
        if let Some(added) = given.added {
            let _ = writeln!(out, "add = \"{}\"", duration_text(added));
        }
        if let Some(length) = given.length {
            let _ = writeln!(out, "for = \"{}\"", duration_text(length));
        }
    }
}

impl Shape {
    /// Reads the fields of this action and refuses the others. `None` if one of them is missing or wrong.
    fn read_given(&self, walk: &mut Walk<'_>, fields: &Fields<'_>, keys: Option<&Keys>) -> Option<Given> {
        let belongs = |name: &str| self.needs.contains(&name) || self.takes.contains(&name);
        for name in OPTIONAL.iter().filter(|name| !belongs(name)) {
            let takers = SHAPES.iter().filter(|s| s.needs.contains(name) || s.takes.contains(name));
            let takers: Vec<&str> = takers.map(|shape| shape.word).collect();
            walk.foreign(fields, &[name], &format!("with do = {}", takers.join(", ")));
        }
        let wanted = |name: &str| self.needs.contains(&name) || (belongs(name) && fields.has(name));
        let mut given = Given::default();
        let mut whole = true;
        if wanted("for") {
            given.length = walk.quantity(fields, "for", &DURATION, NS..=LENGTH_MAX, None);
            whole &= given.length.is_some();
        }
        if wanted("add") {
            given.added = walk.quantity(fields, "add", &DURATION, NS..=ADDED_MAX, None);
            whole &= given.added.is_some();
        }
        if wanted("factor") {
            let allowed = format!("more than 1, at most {FACTOR_MAX}");
            given.factor = walk.number(fields, "factor", &allowed, |factor| factor > 1.0 && factor <= FACTOR_MAX);
            whole &= given.factor.is_some();
        }
        if wanted("target") {
            given.target = read_target(walk, fields);
            whole &= given.target.is_some();
        }
        if wanted("key") {
            given.key = walk.integer(fields, "key", 1..=keys.map_or(u32::MAX, Keys::last), None);
            whole &= given.key.is_some();
        }
        whole.then_some(given)
    }
}

fn read_shape(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<&'static Shape> {
    let words: Vec<(&'static str, usize)> =
        SHAPES.iter().enumerate().map(|(index, shape)| (shape.word, index)).collect();
    let index = walk.word(fields, "do", &words, None)?;
    SHAPES.get(index)
}

fn read_target(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Target> {
    let text = walk.text(fields, "target", "replica-2")?;
    let number = text.strip_prefix("replica-").and_then(|number| number.parse().ok());
    match (text.as_str(), number) {
        ("lock-holder", _) => return Some(Target::LockHolder),
        (_, Some(number)) if number <= REPLICA_MAX => return Some(Target::Replica(number)),
        _ => {}
    }
    if let Some(node) = fields.get("target") {
        let guess = did_you_mean(&text, ["lock-holder", "replica-0"]);
        let what = format!("unknown target `{}`{guess}", safe(&text, 60));
        walk.refuse(node, what, "replica-0, replica-1, … or lock-holder", "name a replica by its number, from 0");
    }
    None
}

/// The action of a word; `None` if a field it needs is absent, which has been reported.
fn action(word: &str, given: &Given) -> Option<Action> {
    let length = given.length;
    let target = given.target.unwrap_or(Target::Replica(0));
    Some(match word {
        "expire" => Action::Expire { key: given.key },
        "flush" => Action::Flush,
        "origin-slow" => Action::OriginSlow { factor: given.factor?, length: length? },
        "origin-fail" => Action::OriginFail { length: length? },
        "origin-pause" => Action::OriginPause { length: length? },
        "cache-stop" => Action::CacheStop { length: length? },
        "cache-pause" => Action::CachePause { length: length? },
        "cache-restart" => Action::CacheRestart,
        "cache-latency" => Action::CacheLatency { added: given.added?, length: length? },
        "network-cut" => Action::NetworkCut { target: given.target, length: length? },
        "replica-kill" => Action::ReplicaKill { target },
        "replica-pause" => Action::ReplicaPause { target, length: length? },
        "replica-restart" => Action::ReplicaRestart { target },
        _ => return None,
    })
}

/// The word and the fields of an action: the inverse of [`action`].
fn given(action: &Action) -> (&'static str, Given) {
    let mut given = Given::default();
    let word = match *action {
        Action::Expire { key } => {
            given.key = key;
            "expire"
        }
        Action::Flush => "flush",
        Action::OriginSlow { factor, length } => {
            given.factor = Some(factor);
            given.length = Some(length);
            "origin-slow"
        }
        Action::OriginFail { length } => {
            given.length = Some(length);
            "origin-fail"
        }
        Action::OriginPause { length } => {
            given.length = Some(length);
            "origin-pause"
        }
        Action::CacheStop { length } => {
            given.length = Some(length);
            "cache-stop"
        }
        Action::CachePause { length } => {
            given.length = Some(length);
            "cache-pause"
        }
        Action::CacheRestart => "cache-restart",
        Action::CacheLatency { added, length } => {
            given.added = Some(added);
            given.length = Some(length);
            "cache-latency"
        }
        Action::NetworkCut { target, length } => {
            given.target = target;
            given.length = Some(length);
            "network-cut"
        }
        Action::ReplicaKill { target } => {
            given.target = Some(target);
            "replica-kill"
        }
        Action::ReplicaPause { target, length } => {
            given.target = Some(target);
            given.length = Some(length);
            "replica-pause"
        }
        Action::ReplicaRestart { target } => {
            given.target = Some(target);
            "replica-restart"
        }
    };
    (word, given)
}
