//! A run in virtual time, and what is to be seen of it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its own part of this")]

#[allow(dead_code, unreachable_pub, reason = "a language for stories")]
pub mod story;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evidence::ReadEnd;
use scenarios::{Plan, Scenario};
use sim::{Latencies, Read, Reply, Request, Simulation, SimulationResult, VirtualClock, Witness, simulate};
use strategies::port::{Clock, Event, EventSink, FlightId};
use strategies::time::Mono;
use strategies::{GetError, Outcome, Spec};

/// What a run came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests of the measured phase, and of all phases: decided on, and answered.
    pub requests: u64,
    pub offered: u64,
    pub answered: u64,
    pub outcomes: [u64; 6],
    /// Requests of the measured phase that another replica has answered than theirs.
    pub moved_on: u64,
    /// Errors by kind.
    pub kinds: Vec<(String, u64)>,
    pub longest_hit_ns: i64,
    /// How long those took who waited for somebody else's read.
    pub waits_ns: i64,
    pub wait_mean_s: f64,
    pub measured_reads: u64,
    pub ledger: Vec<Read>,
    pub t0: Mono,
    /// What the replicas told.
    pub events: Vec<String>,
    /// Every line of the trace: requests, events, reads.
    pub trace: Vec<String>,
    pub keep_trace: bool,
    /// Each attempt as it was decided on, and when it is sent.
    pub attempts: Vec<(Request, i64)>,
    /// Each request as it ended, and when.
    pub ends: Vec<(Request, i64)>,
}

impl Tally {
    pub fn kind(&self, kind: &str) -> u64 {
        self.kinds.iter().find(|(name, _)| name == kind).map_or(0, |(_, count)| *count)
    }

    pub fn events_like(&self, word: &str) -> usize {
        self.events.iter().filter(|line| line.contains(word)).count()
    }

    /// Reads that arrived between two moments, milliseconds since t = 0.
    pub fn reads_of(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = &Read> {
        let at = move |ms: u64| self.t0.plus(Duration::from_millis(ms));
        self.ledger.iter().filter(move |read| (at(from_ms)..at(to_ms)).contains(&read.arrived))
    }

    pub fn reads_between(&self, from_ms: u64, to_ms: u64) -> usize {
        self.reads_of(from_ms, to_ms).count()
    }

    /// The longest time in which no read ended well.
    pub fn longest_gap_ms(&self, from_ms: u64, to_ms: u64) -> u128 {
        let mut ends: Vec<Mono> =
            self.reads_of(from_ms, to_ms).filter(|r| r.outcome == Some(ReadEnd::Ok)).filter_map(|r| r.end).collect();
        ends.sort_unstable();
        ends.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).max().unwrap_or(u128::MAX)
    }
}

impl Witness for Tally {
    fn offer(&mut self, _: &Request) {
        self.offered += 1;
    }
    fn withdraw(&mut self, _: &Request) {
        self.offered -= 1;
    }
    fn attempt(&mut self, request: &Request, at_ns: i64) {
        self.attempts.push((*request, at_ns));
    }
    fn answer(&mut self, request: &Request, done_ns: i64, reply: Reply<'_>) {
        self.answered += 1;
        if request.attempts > 1 || request.unpaid {
            self.ends.push((*request, done_ns));
        }
        if request.intended_ns >= 0 {
            self.requests += 1;
            self.moved_on += u64::from(request.moved_on);
            let (outcome, kind) = match reply {
                Reply::Answer(Ok(served), _) => (served.outcome, None),
                Reply::Answer(Err(GetError::Shed { .. } | GetError::Refused { .. }), _) => (Outcome::Shed, None),
                Reply::Answer(Err(GetError::OutOfTime), _) => (Outcome::Error, Some("http-504")),
                Reply::Answer(Err(_), _) => (Outcome::Error, Some("http-502")),
                Reply::Counted(_) => (Outcome::Hit, None),
                Reply::Wrote(_) => return,
                Reply::TimedOut => (Outcome::Error, Some("timeout")),
                Reply::Reset => (Outcome::Error, Some("reset")),
                Reply::Refused => (Outcome::Error, Some("refused")),
            };
            self.outcomes[outcome as usize] += 1;
            if outcome == Outcome::Hit {
                self.longest_hit_ns = self.longest_hit_ns.max(done_ns - request.intended_ns);
            }
            if outcome == Outcome::Wait {
                self.waits_ns += done_ns - request.intended_ns;
            }
            if let Some(kind) = kind {
                match self.kinds.iter_mut().find(|(name, _)| name == kind) {
                    Some((_, count)) => *count += 1,
                    None => self.kinds.push((kind.into(), 1)),
                }
            }
        }
        if self.keep_trace {
            let Request { intended_ns, key, moved_on, .. } = request;
            let moved = if *moved_on { " moved on" } else { "" };
            self.trace.push(format!("Request {{ intended_ns: {intended_ns}, key: {key} }} {done_ns} {reply:?}{moved}"));
        }
    }
    fn led(&mut self, replica: u16, flight: FlightId) {
        if self.keep_trace {
            self.trace.push(format!("{replica} led {flight}"));
        }
    }
}

/// All replicas' events.
pub struct Log(pub u16, pub Arc<VirtualClock>, pub Arc<Mutex<Vec<String>>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.2.lock().unwrap().push(format!("{} {} {event:?}", self.1.mono().0, self.0));
    }
}

/// `hotkey` with fields of its own.
pub fn hotkey(sets: &[(&str, &str)]) -> Scenario {
    shipped("hotkey", sets)
}

pub fn shipped(name: &str, sets: &[(&str, &str)]) -> Scenario {
    let (_, text) = scenarios::shipped().iter().find(|(n, _)| *n == name).unwrap();
    scenario(text, sets)
}

pub fn scenario(text: &str, sets: &[(&str, &str)]) -> Scenario {
    let sets: Vec<(String, String)> = sets.iter().map(|(p, v)| ((*p).into(), (*v).into())).collect();
    Scenario::parse(text, "test.toml", &sets).unwrap_or_else(|e| panic!("{e}"))
}

pub fn simulated(scenario: &Scenario, spec: &str, replicas: u16, seed: u64) -> Tally {
    run(scenario, spec, replicas, seed, Tally::default()).0
}

pub fn run(scenario: &Scenario, spec: &str, replicas: u16, seed: u64, tally: Tally) -> (Tally, SimulationResult) {
    let witness = Rc::new(RefCell::new(tally));
    let plan = Arc::new(Plan::new(seed, scenario, replicas.into()));
    let spec = Spec::parse(spec).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let simulation = Simulation {
        scenario,
        plan,
        spec: &spec,
        counter: None,
        samples: None,
        replicas,
        seed,
        latencies: Latencies::LOOPBACK,
        events: Box::new(move |replica, clock| Arc::new(Log(replica, clock, Arc::clone(&sink)))),
        reads: None,
    };
    let mut simulated = simulate(simulation, &witness, |_| true).unwrap();
    let mut tally = witness.take();
    tally.ledger = std::mem::take(&mut simulated.ledger);
    tally.t0 = simulated.t0;
    tally.wait_mean_s = tally.waits_ns as f64 / 1e9 / tally.outcomes[Outcome::Wait as usize] as f64;
    tally.events = std::mem::take(&mut events.lock().unwrap());
    let (from, to) = (simulated.t0, simulated.t0.plus(scenario.load.duration));
    tally.measured_reads = tally.ledger.iter().filter(|read| (from..to).contains(&read.arrived)).count() as u64;
    if tally.keep_trace {
        tally.trace.extend(tally.events.iter().cloned());
        tally.trace.extend(tally.ledger.iter().map(|read| format!("{read:?}")));
    }
    (tally, simulated)
}
