//! A run in virtual time, and what is to be seen of it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its own part of this")]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scenarios::{Plan, Scenario};
use sim::{Latencies, Latency, Read, Reply, Request, Simulated, Simulation, VirtualClock, Witness, simulate};
use strategies::port::{Clock, Event, Events, FlightId};
use strategies::time::nanos;
use strategies::{Outcome, Spec};

pub const LATENCIES: Latencies =
    Latencies { client: Latency::micros(100, 50), cache: Latency::micros(40, 20), origin: Latency::micros(100, 50) };

/// What a run came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub requests: u64,
    pub outcomes: [u64; 6],
    pub measured_reads: u64,
    pub ledger: Vec<Read>,
    /// Every line of the trace: requests, flights, events, reads.
    pub trace: Vec<String>,
    pub keep_trace: bool,
}

impl Witness for Tally {
    fn offer(&mut self, _: &Request) {}
    fn withdraw(&mut self, _: &Request) {}
    fn answer(&mut self, request: &Request, done_ns: i64, reply: Reply) {
        if request.intended_ns >= 0 {
            self.requests += 1;
            let outcome = match &reply {
                Reply::Answer(Ok(served)) => served.outcome,
                _ => Outcome::Error,
            };
            self.outcomes[outcome as usize] += 1;
        }
        if self.keep_trace {
            self.trace.push(format!("{request:?} {done_ns} {reply:?}"));
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

impl Events for Log {
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

pub fn run(scenario: &Scenario, spec: &str, replicas: u16, seed: u64, tally: Tally) -> (Tally, Simulated) {
    let witness = Rc::new(RefCell::new(tally));
    let plan = Arc::new(Plan::new(seed, scenario, replicas.into()));
    let spec = Spec::parse(spec).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let simulation = Simulation {
        scenario,
        plan,
        spec: &spec,
        replicas,
        seed,
        latencies: LATENCIES,
        request_budget: Duration::from_secs(8),
        events: Box::new(move |replica, clock| Arc::new(Log(replica, clock, Arc::clone(&sink)))),
    };
    let mut simulated = simulate(simulation, &witness, |_| true).unwrap();
    let mut tally = witness.take();
    tally.ledger = std::mem::take(&mut simulated.ledger);
    let (from, to) = (simulated.t0, simulated.t0.plus(scenario.load.duration));
    tally.measured_reads = tally.ledger.iter().filter(|read| (from..to).contains(&read.arrived)).count() as u64;
    if tally.keep_trace {
        tally.trace.append(&mut events.lock().unwrap());
        tally.trace.extend(tally.ledger.iter().map(|read| format!("{read:?}")));
    }
    let _ = nanos;
    (tally, simulated)
}
