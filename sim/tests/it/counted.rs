//! Logs of counters, written by hand: what the checker says of them.

use crate::common::story::*;
use scenarios::Trouble;
use sim::Effect;
use sim::invariants::{End, Fact, FactKind, Judge};
use std::time::Duration;
use strategies::counter::{CountAnswer, CountError, ToldCount};
use strategies::port::{CacheError, CacheErrorClass, CounterCommand, HeldCounter};

const LIFE: Duration = Duration::from_millis(100);
/// Increments, and what ends where it ends.
const ADD: CounterCommand = CounterCommand::Add(1);
const SET: CounterCommand = CounterCommand::Set(1, LIFE);
const SCRIPT: CounterCommand = CounterCommand::Script { by: 1, life: LIFE, repair: false };

/// A counter at this value, with an end.
fn at(value: i64) -> Option<HeldCounter> {
    Some(HeldCounter { value, left: Some(LIFE) })
}

fn effect(ms: i64, command: CounterCommand, before: Option<HeldCounter>) -> Fact {
    fact(ms, 0, FactKind::Cache(Effect::Counted(key(), command, before)))
}

fn counted(ms: i64, request: u32, value: u64) -> Fact {
    answered(ms, 0, request, End::Count(Ok(CountAnswer { value, told: Some(ToldCount { part: 0, value }) })))
}

fn failed(ms: i64, request: u32, error: fn(CacheError) -> CountError) -> Fact {
    let error = error(CacheError { class: CacheErrorClass::Slow, message: "late".into() });
    answered(ms, 0, request, End::Count(Err(error)))
}

fn probed(ms: i64, request: u32) -> Fact {
    fact(ms, 0, FactKind::Asked { request, key: key(), probe: true })
}

/// What is said of a log first.
fn said(log: &[Fact]) -> String {
    let mut judge = Judge::of_counters(terms("naive"));
    log.iter().find_map(|fact| judge.see(fact).err()).map_or_else(|| "nothing".into(), |violation| violation.sentence)
}

#[test]
fn what_is_acknowledged_was_counted_and_was_counted_once() {
    let two = [asked(0, 0, 1), asked(0, 0, 2), effect(1, SCRIPT, None), effect(2, SCRIPT, at(1))];
    assert_eq!(said(&and(&two, [counted(3, 1, 1), counted(3, 2, 2), over(0)])), "nothing");
    assert_eq!(
        said(&and(&two, [counted(3, 1, 2), counted(3, 2, 2)])),
        "request 2 was told 2 of counter 1, as another was before, and one was counted so"
    );
    assert_eq!(said(&and(&two, [counted(3, 1, 3)])), "request 1 was told 3 of counter 1, and none was counted so");
    let one = [asked(0, 0, 1), effect(1, SCRIPT, None), counted(2, 1, 1)];
    assert_eq!(
        said(&and(&one, [effect(3, SCRIPT, at(1)), over(0)])),
        "2 increments were counted; 1 were acknowledged, and 0 may have been"
    );
}

#[test]
fn an_increment_whose_answer_was_lost_is_counted_once_or_not_at_all() {
    let lost = [trouble(0, Some(0), Trouble::RepliesLost, 50), asked(1, 0, 1)];
    let unknown = failed(4, 1, CountError::Unknown);
    assert_eq!(said(&and(&lost, [effect(2, SCRIPT, None), unknown.clone(), over(0)])), "nothing");
    assert_eq!(said(&and(&lost, [unknown.clone(), over(0)])), "nothing");
    let twice = [effect(2, SCRIPT, None), effect(3, SCRIPT, at(1)), unknown, over(0)];
    assert_eq!(said(&and(&lost, twice)), "2 increments were counted; 0 were acknowledged, and 1 may have been");
    let denied = [effect(2, SCRIPT, None), failed(4, 1, CountError::Not), over(0)];
    assert_eq!(said(&and(&lost, denied)), "1 increments were counted; 0 were acknowledged, and 0 may have been");
}

#[test]
fn a_count_that_is_overwritten_and_a_counter_without_an_end_are_noticed() {
    let reset = [asked(0, 0, 1), effect(1, SET, None), effect(2, SET, at(1))];
    assert_eq!(said(&reset), "counter 1 was at 1, and 1 was written over that");
    let endless = [asked(0, 0, 1), effect(5, ADD, None), counted(6, 1, 1)];
    let never = "counter 1 has no end, since 0.005000 s: no window of it will ever begin again";
    assert_eq!(said(&and(&endless, [over(0)])), never);
    let held = Some(HeldCounter { value: 1, left: None });
    assert_eq!(said(&and(&endless, [effect(7, CounterCommand::Expire(LIFE), held), over(0)])), "nothing");
    let repair = CounterCommand::Script { by: 1, life: LIFE, repair: true };
    let more = [asked(7, 0, 2), effect(8, repair, held), counted(9, 2, 2), over(0)];
    assert_eq!(said(&and(&endless, more)), "nothing");
    let more = [asked(7, 0, 2), effect(8, SCRIPT, held), counted(9, 2, 2), over(0)];
    assert_eq!(said(&and(&endless, more)), never);
}

#[test]
fn nothing_fails_without_a_trouble_or_when_everything_has_healed() {
    let failure = failed(9, 1, CountError::Unknown);
    assert_eq!(
        said(&[asked(1, 0, 1), failure.clone()]),
        "request 1 failed when nothing had gone wrong: perhaps counted: the cache is slow: late"
    );
    let slow = trouble(0, None, Trouble::CacheSlow, 50);
    assert_eq!(said(&[slow.clone(), asked(1, 0, 1), failure.clone()]), "nothing");
    assert_eq!(
        said(&[slow, probed(1, 1), failure]),
        "request 1 failed when everything had healed: perhaps counted: the cache is slow: late"
    );
}
