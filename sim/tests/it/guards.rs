//! The checkers of what spares the origin: P4 and I8, each on a log that breaks it and on one that does not.

use crate::common::story::*;
use sim::invariants::{Fact, FactKind};
use strategies::port::{BreakerState, Event, LeaderEnd, RefusedBy};

/// Open for 5 to 6 s, then one at a time.
const SPEC: &str = "plain + bare + breaker";

fn breaker(ms: i64, node: u16, state: BreakerState) -> Fact {
    told(ms, node, Event::Breaker(state))
}

/// A flight that the breaker refuses.
fn refused(ms: i64, node: u16, n: u64) -> [Fact; 3] {
    let spared = told(ms, node, Event::OriginSpared { key: key(), by: RefusedBy::Breaker });
    [led(ms, node, n), spared, ended(ms, node, n, LeaderEnd::Refused)]
}

#[test]
fn p4_a_breaker_comes_back() {
    let opened = [breaker(0, 0, BreakerState::Open)];
    let name = "P4 a breaker comes back: ";
    tells(
        SPEC,
        &and(&opened, refused(6000, 0, 1)),
        &and(&opened, refused(6001, 0, 1)),
        &format!("{name}a breaker refused a read 6001.000 ms after it had opened"),
    );
    let half = and(&opened, [led(5500, 0, 1), breaker(5500, 0, BreakerState::HalfOpen)]);
    tells(
        SPEC,
        &and(&half, [ended(5700, 0, 1, DONE), led(5800, 0, 2), ended(5900, 0, 2, DONE)]),
        &and(&half, [led(5600, 0, 2), led(5700, 0, 3), ended(5800, 0, 1, DONE)]),
        "2 reads under way behind a breaker that is half-open; 1 may be",
    );
    tells(
        SPEC,
        &and(&opened, refused(100, 0, 1)),
        &and(&opened, [led(100, 0, 1), led(200, 0, 2), ended(300, 0, 2, DONE)]),
        "1 reads under way behind a breaker that is open; 0 may be",
    );
    tells(SPEC, &half, &and(&opened, [breaker(5500, 0, BreakerState::Closed)]), "went from open to closed");
    tells(SPEC, &[], &refused(100, 0, 1), "a breaker that is closed refused a read");
    // What was under way when it opened goes on, and each replica has its own.
    let before = [led(0, 0, 1), breaker(10, 0, BreakerState::Open), led(20, 1, 1), ended(30, 1, 1, DONE)];
    assert_eq!(said(SPEC, &and(&before, [ended(5200, 0, 1, LeaderEnd::TimedOut)])), "");
}

#[test]
fn i8_retries_within_their_budget() {
    // Here half of the first attempts, and ten.
    let sent = |first, retries| fact(0, 0, FactKind::Sent { first, retries });
    let name = "I8 retries within their budget: ";
    tells("naive", &[sent(0, 10)], &[sent(0, 11)], &format!("{name}11.0 retries more than 0.5 of the first attempts"));
    tells("naive", &[sent(0, 10), sent(2, 1)], &[sent(0, 10), sent(1, 1)], name);
    tells("naive", &[sent(100, 60)], &[sent(100, 50), sent(0, 11)], name);
    tells("naive", &[sent(20, 0), sent(0, 10)], &[sent(1000, 0), sent(0, 11)], "11.0 retries more");
}
