//! A closed load whose number of clients changes: in virtual time, on links that take none, each second has exactly the requests
//! of the clients that are active in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use scenarios::Plan;
use sim::{Latencies, LinkLatency, Reply, Request, Simulation, Tick, Witness, simulate};
use strategies::Spec;
use strategies::port::FlightId;

use crate::common::{Log, hotkey};

/// When requests were sent, and of whom, nanoseconds since t = 0.
#[derive(Default)]
struct Sent {
    offered: Vec<(i64, u32)>,
    answered: usize,
}

impl Witness for Sent {
    fn offer(&mut self, request: &Request) {
        self.offered.push((request.intended_ns, request.client.unwrap()));
    }
    fn withdraw(&mut self, request: &Request) {
        self.offered.retain(|sent| *sent != (request.intended_ns, request.client.unwrap()));
    }
    fn answer(&mut self, request: &Request, done_ns: i64, _: Reply<'_>) {
        assert_eq!(request.intended_ns, done_ns, "a hit takes no time here");
        self.answered += 1;
    }
    fn led(&mut self, _: u16, _: FlightId) {}
}

/// Ten clients; from 5 s to 15 s they become 30, from 20 s to 30 s ten again, from 35 s to 37 s 14. They think for 400 ms.
const RAMPS: &str = "[{ at = \"5s\", clients = 30, over = \"10s\" }, { at = \"20s\", clients = 10, over = \"10s\" }, \
    { at = \"35s\", clients = 14, over = \"2s\" }]";
const THINK_MS: i64 = 400;
const END_MS: i64 = 40_000;

/// When client i is active, milliseconds: begins are later by a nanosecond, the first at which the number is above i.
fn spans(client: i64) -> Vec<(i64, i64)> {
    let (risen, fallen) = (5000 + (client - 10) * 500, 20_000 + (30 - client) * 500);
    match client {
        ..10 => vec![(0, END_MS)],
        10..14 => vec![(risen, fallen), (35_000 + (client - 10) * 500, END_MS)],
        _ => vec![(risen, fallen)],
    }
}

fn sent(stop_at_ms: Option<i64>) -> Sent {
    let sets = [
        ("load.clients", "10"),
        ("load.think", "400ms"),
        ("load.ramp", RAMPS),
        ("load.warmup", "0s"),
        ("load.duration", "40s"),
        ("warm.burst", "all"),
        ("cache.ttl", "10m"),
    ];
    let scenario = hotkey(&sets);
    let spec = Spec::parse("coalesce").unwrap();
    let still = LinkLatency::micros(0, 0);
    let simulation = Simulation {
        scenario: &scenario,
        plan: Arc::new(Plan::new(42, &scenario, 3)),
        spec: &spec,
        counter: None,
        samples: None,
        replicas: 3,
        seed: 42,
        latencies: Latencies { client: still, cache: still, origin: still },
        events: Box::new(|replica, clock| Arc::new(Log(replica, clock, Arc::default()))),
        reads: None,
    };
    let witness = Rc::new(RefCell::new(Sent::default()));
    // Asked a few times a second.
    simulate(simulation, &witness, move |tick: Tick<'_>| stop_at_ms.is_none_or(|stop| tick.now_ns < stop * 1_000_000))
        .unwrap();
    witness.take()
}

#[test]
fn the_requests_of_each_second_are_those_of_the_clients_that_are_active() {
    let Sent { mut offered, answered } = sent(None);
    assert_eq!(answered, offered.len());
    let mut expected = Vec::new();
    for client in 0..30 {
        for (begin, end) in spans(client) {
            // Those that are there from the start are spread over one think time; a ramp spreads the others itself.
            let (first, later) = if client < 10 { (client * THINK_MS / 10, 0) } else { (begin, 1) };
            let times = (0..).map(|n| first + n * THINK_MS).take_while(|at| at * 1_000_000 + later < end * 1_000_000);
            expected.extend(times.map(|at| (at * 1_000_000 + later, client as u32)));
        }
    }
    offered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(offered, expected);
    // By the second: N(t) in its middle, at 2.5 requests a second of each, but for what a whole number of them is off.
    for second in 0..40_i64 {
        let count = offered.iter().filter(|(at, _)| at / 1_000_000_000 == second).count() as f64;
        let middle = second as f64 + 0.5;
        let number = match second {
            5..15 => 10.0 + 2.0 * (middle - 5.0),
            15..20 => 30.0,
            20..30 => 30.0 - 2.0 * (middle - 20.0),
            35..37 => 10.0 + 2.0 * (middle - 35.0),
            37.. => 14.0,
            _ => 10.0,
        };
        assert!((count - 2.5 * number).abs() <= 0.1 * 2.5 * number + 3.0, "second {second}: {count} of {number}");
    }
}

#[test]
fn a_load_that_is_stopped_within_a_ramp_ends_without_those_that_were_to_come() {
    let Sent { offered, answered } = sent(Some(8000));
    assert_eq!(answered, offered.len());
    assert!(offered.iter().all(|(at, _)| *at < 9_500_000_000), "nobody sends after the end");
    assert!(offered.iter().any(|(_, client)| *client == 15) && offered.iter().all(|(_, client)| *client < 20));
}
