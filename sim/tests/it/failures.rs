//! The checkers of failures: I13, I14, P1 and P2, each on a log that breaks it and on one that does not.

use std::time::Duration;

use crate::common::story::*;
use evidence::ReadEnd;
use scenarios::Trouble;
use sim::Effect;
use sim::invariants::{End, Fact, FactKind, Terms};
use strategies::port::{Event, LeaderEnd, OriginError, RefusedBy, Stored, Token, When};
use strategies::{GetError, Outcome};

fn origin_error(error: OriginError) -> End {
    err(GetError::Origin { error, flight: flight(0, 1) })
}

#[test]
fn i13_back_off() {
    let failed = |end| [led(0, 0, 1), ended(9, 0, 1, end)];
    let error = failed(LeaderEnd::OriginError);
    tells(
        "naive",
        &and(&error, [led(109, 0, 2)]),
        &and(&error, [led(108, 0, 2)]),
        "I13 back-off: flight 0000000000000000-2",
    );
    assert_eq!(said("naive", &and(&error, [led(50, 1, 1)])), "", "each process for itself");
    let answer = |at| [asked(5, 0, 1), answered(at, 0, 1, origin_error(OriginError::Failed("500".into())))];
    tells(
        "naive",
        &and(&error, answer(100)),
        &and(&error, answer(900)),
        "request 1 has an error that is 891.000 ms old",
    );
    tells(
        "naive",
        &and(&error, answer(100)),
        &and(&failed(DONE), answer(10)),
        "the origin failed: 500; the flight's end was: not failed",
    );
}

#[test]
fn i14_failures_have_causes() {
    // A flight that failed, by the origin's own account of it.
    let fails = |kind: Option<Trouble>, end, outcome| {
        let wrong = kind.map(|kind| trouble(0, None, kind, 1000));
        let flew = [led(10, 0, 1), ended(200, 0, 1, end), read(0, 1, 10, Some(10), 150, outcome), over(0)];
        and(&wrong.into_iter().collect::<Vec<_>>(), flew)
    };
    let well = fails(Some(Trouble::OriginFails), LeaderEnd::OriginError, ReadEnd::Failed);
    let name = "I14 failures have causes: ";
    tells(
        "naive",
        &well,
        &fails(None, LeaderEnd::OriginError, ReadEnd::Failed),
        &format!("{name}flight 0000000000000000-1 failed (origin-error) and the origin was well"),
    );
    tells(
        "naive",
        &well,
        &fails(Some(Trouble::OriginFails), LeaderEnd::OriginError, ReadEnd::Ok),
        "ended so: origin-error, and its read at the origin ended well",
    );
    let slow = fails(Some(Trouble::OriginSlow), LeaderEnd::TimedOut, ReadEnd::Abandoned);
    tells("naive", &slow, &fails(Some(Trouble::OriginSlow), LeaderEnd::TimedOut, ReadEnd::Ok), "ended so: timed-out");
    tells(
        "naive",
        &slow,
        &[led(10, 0, 1), ended(200, 0, 1, LeaderEnd::TimedOut), over(0)],
        "failed, and the origin never saw it",
    );

    // A request that failed.
    let request = |kind: Option<Trouble>, events: &[Fact], end| {
        let wrong: Vec<Fact> = kind.map(|kind| trouble(0, None, kind, 1000)).into_iter().collect();
        and(&and(&wrong, [asked(10, 0, 1)]), events.iter().cloned().chain([answered(5020, 0, 1, end), over(0)]))
    };
    let gave_up = [told(5015, 0, Event::LockTimeout(key()))];
    let held = request(Some(Trouble::CachePaused), &gave_up, shed());
    tells(
        "singleflight",
        &held,
        &request(Some(Trouble::CachePaused), &[], shed()),
        "request 1 was shed, and nobody gave up",
    );
    tells("singleflight", &held, &request(None, &gave_up, shed()), "request 1 failed and nothing was wrong");
    for kind in [Trouble::CacheLost, Trouble::CacheEmptied, Trouble::CacheRefuses, Trouble::ClockJump, Trouble::Corrupt]
    {
        assert!(said("singleflight", &request(Some(kind), &gave_up, shed())).contains("nothing was wrong"), "{kind:?}");
    }
    let vanished = request(Some(Trouble::Crash), &[], err(GetError::LeadersVanished));
    tells("coalesce", &held, &vanished, "request 1 failed, and no replica had died");
    let late = request(None, &[], err(GetError::OutOfTime));
    tells(
        "naive",
        &request(Some(Trouble::OriginSlow), &[], err(GetError::OutOfTime)),
        &late,
        "no answer within the request's budget",
    );
    let other = [
        led(0, 0, 1),
        ended(9, 0, 1, LeaderEnd::OriginError),
        asked(5, 0, 1),
        answered(10, 0, 1, origin_error(OriginError::TimedOut)),
    ];
    assert!(said("naive", &other).contains("the flight's end was: origin-error"));
}

#[test]
fn i14_who_waits_less_than_a_read_takes_may_wait_in_vain() {
    let brief = "plain + lock(wait=100ms)";
    let waits = |led_at, ended_at| {
        let reads = [taken(led_at, 0, 7), led(led_at, 0, 1), asked(20, 1, 1), ended(ended_at, 0, 1, DONE)];
        let gives_up = [told(120, 1, Event::LockTimeout(key())), answered(121, 1, 1, shed())];
        let mut log = and(&reads, gives_up);
        log.sort_by_key(|fact| fact.at_ns);
        and(&log, [good(0, 1, led_at.unsigned_abs(), ended_at.unsigned_abs()), over(0)])
    };
    tells(brief, &waits(0, 200), &waits(0, 60), "request 1 failed and nothing was wrong: waited too long");
    assert_eq!(said(brief, &waits(30, 130)), "", "the winner of the lock has looked into the cache before");
    assert_ne!(said(brief, &waits(70, 130)), "", "nobody read for half of the wait");
    assert_ne!(said("singleflight", &waits(0, 200)), "", "of a wait of five seconds a read of 200 ms is no part");
    // The same of who is asked when all is well again.
    let probe = fact(20, 1, FactKind::Asked { request: 1, key: key(), probe: true });
    let healed = |ended_at| {
        let log = waits(0, ended_at);
        log.into_iter()
            .map(|fact| if matches!(fact.what, FactKind::Asked { .. }) { probe.clone() } else { fact })
            .collect::<Vec<_>>()
    };
    tells(brief, &healed(200), &healed(60), "P2 all is well again");
}

#[test]
fn i14_a_waiter_that_looks_once_finds_nothing_that_was_fenced_off_or_lost() {
    // The second lock is given when the first was lost with all that the cache had.
    let waits = |stored| {
        let first = [taken(0, 0, 7), led(0, 0, 1), asked(20, 1, 1), ended(60, 0, 1, DONE)];
        let put = match put(60, 0, 1) {
            Fact { at_ns, node, what: FactKind::Cache(Effect::Put(key, entry, ..)) } => {
                Fact { at_ns, node, what: FactKind::Cache(Effect::Put(key, entry, When::Fenced(Token(7)), stored)) }
            }
            other => other,
        };
        let then = [put, told(170, 1, Event::LockTimeout(key())), answered(171, 1, 1, shed())];
        and(&and(&first, then), [good(0, 1, 0, 60), over(0)])
    };
    let sentence = "request 1 failed and nothing was wrong: waited too long";
    tells("plain + lease(wait=150ms, poll=1s)", &waits(Stored::Fenced), &waits(Stored::Stored), sentence);
    let lost = |kind: Option<Trouble>| {
        let mut log = waits(Stored::Stored);
        log.extend(kind.map(|kind| trouble(100, None, kind, 0)));
        log.sort_by_key(|fact| fact.at_ns);
        log
    };
    for kind in [Trouble::CacheEmptied, Trouble::CacheLost, Trouble::Corrupt] {
        tells("plain + lease(wait=150ms, poll=1s)", &lost(Some(kind)), &lost(None), sentence);
    }
    let often = said("plain + lease(wait=150ms, poll=10ms)", &lost(Some(Trouble::CacheEmptied)));
    assert!(often.contains(sentence), "more looks find it before it is gone: {often}");
    let often = said("plain + lease(wait=150ms, poll=10ms)", &waits(Stored::Fenced));
    assert!(often.contains(sentence), "who looks more often finds the next one's value: {often}");
}

/// What lay in the cache from one look to the next at most, and was lost with it, is read again by another meanwhile (seed 3841).
#[test]
fn i14_what_was_lost_between_two_looks_need_not_be_found() {
    let waits = |lost_ms| {
        let first =
            [taken(0, 0, 7), led(0, 0, 1), asked(20, 1, 1), ended(60, 0, 1, DONE), put(60, 0, 1), let_go(61, 0, 7)];
        let again = [trouble(lost_ms, None, Trouble::CacheEmptied, 0), taken(118, 2, 8), led(118, 2, 1)];
        let then = [told(170, 1, Event::LockTimeout(key())), answered(171, 1, 1, shed()), ended(300, 2, 1, DONE)];
        and(&and(&and(&first, again), then), [good(0, 1, 0, 60), good(2, 1, 118, 300), over(0)])
    };
    let sentence = "request 1 failed and nothing was wrong: waited too long";
    assert_eq!(said("plain + lease(wait=150ms, poll=60ms)", &waits(110)), "");
    let often = said("plain + lease(wait=150ms, poll=40ms)", &waits(110));
    assert!(often.contains(sentence), "a look finds it: {often}");
}

#[test]
fn i14_a_request_that_does_not_wait_is_shed_by_a_lock_that_was_given_at_that_moment() {
    // The cache is emptied then, and the lock given to another, too.
    let shed_by = |of: Option<Fact>| {
        let waits =
            [asked(20, 1, 1), told(21, 1, Event::LockTimeout(key())), trouble(21, None, Trouble::CacheEmptied, 0)];
        let log = and(&of.into_iter().collect::<Vec<_>>(), waits);
        let log = and(&log, [taken(22, 2, 8), answered(23, 1, 1, shed()), led(23, 2, 1), ended(60, 2, 1, DONE)]);
        and(&log, [good(2, 1, 23, 60), over(0)])
    };
    let sentence = "request 1 failed and nothing was wrong: waited too long";
    tells("plain + lease(wait=0s)", &shed_by(Some(taken(20, 0, 7))), &shed_by(None), sentence);
}

#[test]
fn i14_a_hold_hardly_longer_than_a_read_is_used_up_by_a_cache_in_trouble() {
    // A read of 200 ms that begins when 150 ms of its holder's time are over.
    let flew = |node, kind: Option<Trouble>, took: u64| {
        let wrong: Vec<Fact> = kind.map(|kind| trouble(0, None, kind, 100)).into_iter().collect();
        let log = and(&wrong, [taken(1, node, 7), led(150, 0, 1), ended(300, 0, 1, LeaderEnd::TimedOut)]);
        and(&log, [read(0, 1, 150, Some(150), 150 + took, ReadEnd::Abandoned), over(0)])
    };
    let (hardly, longer) = ("plain(stale=1s) + bare", "plain + lease(max_age=1s)");
    let sentence = "I14 failures have causes: flight 0000000000000000-1 failed (timed-out) and the origin was well";
    let slow = flew(0, Some(Trouble::CacheSlow), 200);
    for lock in ["plain + lease(max_age=300ms)", "plain + lock(lease=800ms)"] {
        tells(lock, &slow, &flew(0, None, 200), sentence);
        assert!(
            said(lock, &flew(0, Some(Trouble::CacheSlow), 301)).contains(sentence),
            "no hold would have been enough"
        );
        assert!(said(lock, &flew(0, Some(Trouble::CacheEmptied), 200)).contains(sentence), "that takes no time");
        assert!(
            said("plain + lease(max_age=300ms, on_timeout=load)", &flew(1, Some(Trouble::CacheSlow), 200))
                .contains(sentence),
            "it has no lock"
        );
    }
    assert!(said(longer, &slow).contains(sentence), "its time was not over");
    assert!(said(hardly, &slow).contains(sentence), "nothing is held");
}

#[test]
fn p2_a_limit_of_few_refuses_some_of_a_herd() {
    let asks = fact(20, 1, FactKind::Asked { request: 1, key: key(), probe: true });
    let refused = err(GetError::Refused { retry_after: Duration::from_secs(1), flight: flight(1, 1) });
    let spared = told(21, 1, Event::OriginSpared { key: key(), by: RefusedBy::LimitFull });
    let flew = [asks, led(21, 1, 1)];
    let ends = [ended(21, 1, 1, LeaderEnd::Refused), answered(22, 1, 1, refused)];
    let limit = "plain + bare + limit(concurrency=1, queue=0)";
    tells(limit, &and(&and(&flew, [spared]), ends.clone()), &and(&flew, ends), "P2 all is well again");
}

#[test]
fn p2_a_margin_shorter_than_a_read_lets_a_probe_begin_too_late() {
    let asks = fact(9, 0, FactKind::Asked { request: 1, key: key(), probe: true });
    let timed_out = err(GetError::Origin { error: OriginError::TimedOut, flight: flight(0, 2) });
    let flew = [asks, led(10, 0, 2), ended(5010, 0, 2, LeaderEnd::TimedOut), answered(5011, 0, 1, timed_out)];
    let late = [read(0, 2, 3001, Some(3001), 6001, ReadEnd::Abandoned), over(0)];
    let other = [led(0, 0, 1), ended(3000, 0, 1, DONE), good(0, 1, 0, 3000)];
    let mut behind = and(&and(&flew, late.clone()), other);
    behind.sort_by_key(|fact| fact.at_ns);
    let over = behind.iter().position(|fact| matches!(fact.what, FactKind::Over(_))).unwrap();
    let over = behind.remove(over);
    behind.push(over);
    let alone = and(&flew, late);
    let limit = "plain + bare + limit(concurrency=1, margin=100ms)";
    tells(limit, &behind, &alone, "P2 all is well again");
    let auto = said("plain + bare + limit(concurrency=1)", &behind);
    assert!(auto.starts_with("P2 all is well again"), "{auto}");
}

#[test]
fn i14_a_margin_shorter_than_a_read_lets_one_begin_too_late() {
    // One place, taken for `first` ms; who waits for it has five seconds, and its read takes three.
    let kept = |first: i64| {
        let times_out = LeaderEnd::TimedOut;
        let mut flew = vec![led(0, 0, 1), led(10, 0, 2), ended(first, 0, 1, DONE), ended(5010, 0, 2, times_out)];
        flew.sort_by_key(|fact| fact.at_ns);
        let late = read(0, 2, 3001, Some(3001), 6001, ReadEnd::Abandoned);
        and(&flew, [good(0, 1, 0, first.unsigned_abs()), late, over(0)])
    };
    let [own, auto] = ["100ms", "auto"].map(|margin| format!("plain + bare + limit(concurrency=1, margin={margin})"));
    let sentence = "I14 failures have causes: flight 0000000000000000-2 failed (timed-out) and the origin was well";
    tells(&own, &kept(3000), &kept(2900), sentence);
    assert!(
        said(&auto, &kept(3000)).contains(sentence),
        "a margin that follows the reads is to be longer than they are"
    );
    let two = "plain + bare + limit(concurrency=2, margin=100ms)";
    assert!(said(two, &kept(3000)).contains(sentence), "the other place was free");
    let longer = "plain + bare + limit(concurrency=1, margin=3s)";
    assert!(said(longer, &kept(3000)).contains(sentence), "it should have been refused");
}

#[test]
fn i14_a_full_origin_is_a_cause() {
    let flights = [led(0, 0, 1), led(0, 0, 2), led(0, 0, 3), led(1, 0, 4)];
    let ends = [
        ended(200, 0, 1, DONE),
        ended(200, 0, 2, DONE),
        ended(400, 0, 3, DONE),
        ended(2, 0, 4, LeaderEnd::OriginError),
    ];
    let reads = [
        good(0, 1, 0, 200),
        good(0, 2, 0, 200),
        read(0, 3, 0, Some(200), 400, ReadEnd::Ok),
        read(0, 4, 1, None, 1, ReadEnd::Rejected),
    ];
    assert_eq!(said("naive", &and(&and(&flights, ends), reads.into_iter().chain([over(0)]))), "");
}

#[test]
fn p1_a_dead_holder_is_succeeded() {
    let dies = [
        taken(0, 0, 7),
        led(1, 0, 1),
        asked(5, 1, 1),
        trouble(50, Some(0), Trouble::Crash, 30_000),
        ended(50, 0, 1, LeaderEnd::Vanished),
    ];
    let late = asked(10_800, 2, 2);
    let over_there = and(&dies, [taken(10_050, 1, 8), led(10_051, 1, 1), late.clone()]);
    tells(
        "singleflight",
        &over_there,
        &and(&dies, [late.clone()]),
        "P1 a dead holder is succeeded: the holder of 1 died at 50.000 ms",
    );
    assert_eq!(said("singleflight", &and(&dies[..2], [dies[3].clone(), late.clone()])), "", "nobody waits");
    let cut = and(&dies, [trouble(60, Some(1), Trouble::CutThere, 100), late]);
    assert_eq!(said("singleflight", &cut), "", "another trouble keeps the successor away");
    // A caller that gave up waiting before that has a read of its own, beside the lock (seed 25741).
    let gave_up = [told(2000, 1, Event::LockTimeout(key())), led(2001, 1, 1)];
    let first: Vec<Fact> = and(&[taken(0, 0, 7), led(1, 0, 1), asked(5, 1, 1)], gave_up.clone());
    let crash = [trouble(2050, Some(0), Trouble::Crash, 30_000), ended(2050, 0, 1, LeaderEnd::Vanished)];
    let log = |more: &[Fact]| and(&and(&and(&first, more.iter().cloned()), crash.clone()), [asked(12_900, 2, 9)]);
    let spec = "plain + lock(wait=1s, on_timeout=load)";
    tells(spec, &log(&[]), &log(&[asked(2010, 1, 3)]), "though request 3 waited at replica 1");
}

#[test]
fn p2_all_is_well_again() {
    let probe = |end| [fact(0, 0, FactKind::Asked { request: 1, key: key(), probe: true }), answered(10, 0, 1, end)];
    let fine = probe(ok(served(Outcome::Wait, 1, None)));
    tells("naive", &fine, &probe(End::Refused), "its replica was alive");
    let dead = and(&[trouble(0, Some(0), Trouble::Crash, 100)], probe(End::Refused));
    assert!(
        said("naive", &dead).contains("P2 all is well again: after everything had healed a request for 1 was refused")
    );
}

/// What a replica stores whose clock is far behind is past its TTL for those whose clocks are not: who waits there waits on,
/// and may give up (seed 1032167). Nothing else about clocks is an excuse.
#[test]
fn clocks_apart_by_more_than_a_ttl_may_make_who_waits_give_up() {
    let apart = |ms| Terms { clocks: Duration::from_millis(ms), ..terms("singleflight") };
    let waits = |more: &[Fact]| {
        let asked = fact(1, 1, FactKind::Asked { request: 1, key: key(), probe: true });
        let gave_up = [told(5000, 1, Event::LockTimeout(key())), answered(5000, 1, 1, shed()), over(0)];
        and(&and(&[put(0, 2, 1), asked], more.iter().cloned()), gave_up)
    };
    let jump = trouble(0, Some(0), Trouble::ClockJump, 60_000);
    let others = waits(&[jump.clone(), put(2500, 0, 2)]);
    assert_eq!(said_by(apart(5001), &others), "");
    for (clocks, log) in [
        (5000, &others),                               // less than the TTL apart
        (60_000, &waits(std::slice::from_ref(&jump))), // nobody stored anything meanwhile
        (60_000, &waits(&[jump, put(2500, 1, 2)])),    // it was stored by the replica's own clock
    ] {
        let said = said_by(apart(clocks), log);
        assert!(
            said.contains("P2 all is well again: after everything had healed a request for 1 failed: "),
            "{said:?}"
        );
    }
    // The same of a request of the load: then it is a failure without a cause.
    let of_load = |log: &[Fact]| -> Vec<Fact> {
        let before = |fact: &Fact| match &fact.what {
            FactKind::Asked { .. } => asked(1, 1, 1),
            _ => fact.clone(),
        };
        log.iter().map(before).collect()
    };
    assert_eq!(said_by(apart(5001), &of_load(&others)), "");
    assert!(said_by(apart(5000), &of_load(&others)).contains("I14 failures have causes: request 1 failed and nothing"));
}
