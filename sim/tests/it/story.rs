//! The log that a replay shows: every fact of the failing key from its last quiet moment on, in words, and nothing else.

use crate::common::story::*;
use evidence::ReadEnd;
use scenarios::Trouble;
use sim::Effect;
use sim::fuzz::{lines, story};
use sim::invariants::{Fact, FactKind, Judge};
use strategies::Key;
use strategies::port::{Acquired, Event, Token};

/// What a replay shows of a log under a strategy.
fn shown(spec: &str, log: &[Fact]) -> Vec<String> {
    let mut judge = Judge::new(terms(spec));
    let violation = log.iter().find_map(|fact| judge.see(fact).err()).expect("a log that fails");
    lines(&story(log, &violation))
}

fn held(ms: i64, node: u16) -> Fact {
    let life = std::time::Duration::from_secs(10);
    fact(ms, node, FactKind::Cache(Effect::Taken(key(), Token(9), life, Acquired::Held)))
}

#[test]
fn it_begins_at_the_last_quiet_moment_and_folds_polls() {
    // An earlier fill of the key, over and done with, and another key all the while.
    let before = [asked(0, 0, 1), taken(1, 0, 7 << 96), led(2, 0, 1), ended(90, 0, 1, DONE), put(91, 0, 1)];
    let over =
        [let_go(92, 0, 7 << 96), answered(93, 0, 1, ok(served(strategies::Outcome::Load, 1, Some(flight(0, 1)))))];
    let other = fact(5995, 2, FactKind::Asked { request: 9, key: Key::of_item(2), probe: false });
    let now = [asked(6000, 0, 2), taken(6001, 0, 8 << 96), led(6002, 0, 2), asked(6003, 1, 3)];
    let polls =
        [held(6010, 1), held(6020, 2), held(6060, 1), told(6070, 1, Event::LockTimeout(key())), led(6071, 1, 1)];
    let log = and(&and(&and(&before, over), [trouble(100, Some(2), Trouble::ClockJump, 10), other]), and(&now, polls));
    let lines = shown("singleflight", &log);
    assert_eq!(
        lines,
        [
            "  0.100000 s · replica 2 · trouble: clock-jump, until 0.110000 s at most",
            "  6.000000 s · replica 0 · key 1: request 2 comes",
            "  6.001000 s · replica 0 · key 1: lock 00000008 is given, for 10s",
            "  6.002000 s · replica 0 · key 1: flight 0000000000000000-2 begins (demand)",
            "  6.003000 s · replica 1 · key 1: request 3 comes",
            "  6.010000 s · replica 1 · key 1: asks for the lock, somebody has it (2 times, until 6.060000 s)",
            "  6.020000 s · replica 2 · key 1: asks for the lock, somebody has it",
            "  6.070000 s · replica 1 · key 1: somebody gave up waiting for the lock",
            "  6.071000 s · replica 1 · key 1: flight 0000000000000001-1 begins (demand)",
        ]
    );
}

#[test]
fn a_put_that_comes_late_has_its_read_before_it() {
    let log = [led(0, 0, 1), ended(50, 0, 1, DONE), led(60, 0, 2), ended(70, 0, 2, DONE), put(71, 0, 8), put(80, 0, 7)];
    let first = "  0.000000 s · replica 0 · key 1: flight 0000000000000000-1 begins (demand)";
    assert_eq!(shown("stack", &and(&[trouble(0, None, Trouble::CacheSlow, 90)], log))[1], first);
}

#[test]
fn what_the_origins_ledger_says_is_told_when_it_happened() {
    let flights = [led(0, 0, 1), ended(100, 0, 1, DONE), led(100, 0, 2), ended(200, 0, 2, DONE), led(900, 0, 3)];
    let ledger = [good(0, 1, 0, 101), read(0, 2, 100, Some(100), 200, ReadEnd::Ok), over(0)];
    let lines = shown("coalesce", &and(&flights, ledger));
    let read = |n, from, to| {
        format!(
            "read for replica 0, flight 0000000000000000-{n}, arrives; has its place at {from} s, ends at {to} s: ended well"
        )
    };
    assert_eq!(lines[1], format!("  0.000000 s · origin    · key 1: {}", read(1, "0.000000", "0.101000")));
    assert_eq!(lines[4], format!("  0.100000 s · origin    · key 1: {}", read(2, "0.100000", "0.200000")));
    assert_eq!(lines.len(), 6, "and nothing that came after the read: {lines:#?}");
}

#[test]
fn what_is_of_no_one_key_is_told_whole() {
    let log = [asked(0, 0, 1), fact(1, 0, FactKind::Asked { request: 2, key: Key::of_item(2), probe: false }), over(2)];
    assert_eq!(shown("naive", &log).len(), 3);
}
