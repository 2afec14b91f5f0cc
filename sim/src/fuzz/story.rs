//! What a reader needs of a failing log: every fact of the failing key from its last quiet moment on, and what was wrong.

use std::collections::{BTreeMap, BTreeSet};

use strategies::Key;
use strategies::port::{Acquired, Event, FlightId, LeaderEnd, Released, Renewed, Token};

use crate::cache::Effect;
use crate::invariants::{Fact, FactKind, Violation};

/// Where a log's flights and requests begin, and for which key.
struct Index<'a> {
    flights: BTreeMap<FlightId, (usize, &'a Key)>,
    requests: BTreeMap<u32, (usize, &'a Key)>,
}

impl<'a> Index<'a> {
    fn of(log: &'a [Fact]) -> Self {
        let (mut flights, mut requests) = (BTreeMap::new(), BTreeMap::new());
        for (at, fact) in log.iter().enumerate() {
            match &fact.what {
                FactKind::Told(Event::FlightLed { flight, key, .. }) => drop(flights.insert(*flight, (at, key))),
                FactKind::Asked { request, key, .. } => drop(requests.insert(*request, (at, key))),
                _ => {}
            }
        }
        Self { flights, requests }
    }

    fn key(&self, fact: &'a Fact) -> Option<&'a Key> {
        match &fact.what {
            FactKind::Answered { request, .. } => self.requests.get(request).map(|(_, key)| *key),
            _ => fact.key(),
        }
    }

    /// The flights and requests that a sentence names.
    fn named(&self, sentence: &str) -> Vec<(usize, &'a Key)> {
        let words: Vec<&str> = sentence.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
        let flights = words.iter().filter_map(|word| self.flights.get(&word.parse().ok()?));
        let requests = words.windows(2).filter(|pair| pair[0] == "request");
        let requests = requests.filter_map(|pair| self.requests.get(&pair[1].parse().ok()?));
        flights.chain(requests).copied().collect()
    }
}

/// How long a value that was read may be on its way into the cache: past the longest freeze and the slowest cache.
const ON_ITS_WAY_NS: i64 = 20_000_000_000;

/// What is under way for one key.
#[derive(Default)]
struct UnderWay {
    requests: BTreeSet<u32>,
    flights: BTreeSet<FlightId>,
    /// Values that replicas have read and not yet put, since when: one may come late, over a newer one.
    to_be_put: BTreeMap<Option<u16>, Vec<i64>>,
    /// The lock that is given: whose, for how long, and until when.
    lock: Option<(Token, i64, i64)>,
}

impl UnderWay {
    fn quiet(&self, now_ns: i64) -> bool {
        let put = self.to_be_put.values().flatten().all(|since| now_ns - since > ON_ITS_WAY_NS);
        let free = self.lock.is_none_or(|(.., until)| until <= now_ns);
        put && free && self.requests.is_empty() && self.flights.is_empty()
    }

    fn see(&mut self, fact: &Fact) {
        match &fact.what {
            FactKind::Asked { request, .. } => drop(self.requests.insert(*request)),
            FactKind::Answered { request, .. } => drop(self.requests.remove(request)),
            FactKind::Told(Event::FlightLed { flight, .. }) => drop(self.flights.insert(*flight)),
            FactKind::Told(Event::FlightEnded { flight, end, .. }) => {
                self.flights.remove(flight);
                if *end == LeaderEnd::Done {
                    self.to_be_put.entry(fact.node).or_default().push(fact.at_ns);
                }
            }
            // Which of them it is nobody says: the last, for all that is known.
            FactKind::Cache(Effect::Put(..)) => drop(self.to_be_put.entry(fact.node).or_default().pop()),
            FactKind::Cache(Effect::Taken(_, token, life, Acquired::Won)) => {
                let life = i64::try_from(life.as_nanos()).unwrap_or(i64::MAX);
                self.lock = Some((*token, life, fact.at_ns.saturating_add(life)));
            }
            FactKind::Cache(Effect::Prolonged(_, token, Renewed::Renewed)) => {
                if let Some((_, life, until)) = self.lock.as_mut().filter(|(of, ..)| of == token) {
                    *until = fact.at_ns.saturating_add(*life);
                }
            }
            FactKind::Cache(Effect::LetGo(.., Released::Released) | Effect::Seized(_)) => self.lock = None,
            _ => {}
        }
    }
}

/// The facts of the key that an invariant broke for, from the last moment before at which nothing was under way for it, in
/// order of time: with them every trouble so far, and what replicas told meanwhile of their caches and breakers. Where the
/// breach is of no one key, all facts.
#[must_use]
pub fn story<'a>(log: &'a [Fact], violation: &Violation) -> Vec<&'a Fact> {
    let index = Index::of(log);
    let named = index.named(&violation.sentence);
    let broke = log.get(violation.fact);
    let own = broke.filter(|_| violation.of_one_key).and_then(|fact| index.key(fact));
    let Some(key) = named.first().map(|(_, key)| *key).or(own) else { return whole(log) };

    // Ledger rows are told at the end: such a story begins with the row's flight and ends with the row's read.
    let read = broke.and_then(|fact| match &fact.what {
        FactKind::Read(read) => Some(read),
        _ => None,
    });
    let flight = read.and_then(|read| index.flights.get(&read.flight));
    let anchor = named.iter().chain(flight).map(|(at, _)| *at).min().unwrap_or(violation.fact);
    let end_ns = match read {
        Some(read) => read.end.unwrap_or(read.arrived).0.cast_signed(),
        None => broke.map_or(i64::MAX, |fact| fact.at_ns),
    };

    let (mut under_way, mut begins_ns) = (UnderWay::default(), i64::MIN);
    for fact in log.iter().take(anchor + 1).filter(|fact| index.key(fact) == Some(key)) {
        if under_way.quiet(fact.at_ns) {
            begins_ns = fact.at_ns;
        }
        under_way.see(fact);
    }
    in_time(log.iter().filter(|fact| {
        let of_key = index.key(fact) == Some(key);
        let beside = matches!(&fact.what, FactKind::Told(Event::Breaker(_) | Event::CacheFailed { .. }));
        let trouble = matches!(&fact.what, FactKind::Trouble(_));
        let after = if trouble { i64::MIN } else { begins_ns };
        (of_key || beside || trouble) && (after..=end_ns).contains(&fact.when_ns())
    }))
}

/// Facts as text, a line each; of the polls of callers that wait for a lock, those that follow one another are one line a replica.
#[must_use]
pub fn lines(facts: &[&Fact]) -> Vec<String> {
    let poll = |fact: &&Fact| matches!(&fact.what, FactKind::Cache(Effect::Taken(.., Acquired::Held)));
    let mut lines = Vec::new();
    for run in facts.chunk_by(|one, next| poll(one) && poll(next)) {
        let mut polls: Vec<(&Fact, &Fact, usize)> = Vec::new();
        for fact in run {
            match polls.iter_mut().find(|(first, ..)| first.node == fact.node && first.key() == fact.key()) {
                Some((_, last, more)) => (*last, *more) = (fact, *more + 1),
                None => polls.push((fact, fact, 0)),
            }
        }
        lines.extend(polls.into_iter().map(|(first, last, more)| match more {
            0 => first.to_string(),
            _ => format!("{first} ({} times, until {:.6} s)", more + 1, last.when_ns() as f64 / 1e9),
        }));
    }
    lines
}

/// The whole log, in order of time.
#[must_use]
pub fn whole(log: &[Fact]) -> Vec<&Fact> {
    in_time(log.iter())
}

/// In order of time; of one moment in the order in which they were told.
fn in_time<'a>(facts: impl Iterator<Item = &'a Fact>) -> Vec<&'a Fact> {
    let mut facts: Vec<&Fact> = facts.collect();
    facts.sort_by_key(|fact| fact.when_ns());
    facts
}
