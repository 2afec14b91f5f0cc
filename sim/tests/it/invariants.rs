//! Each checker fires on a log that breaks its invariant, and says nothing of the log beside it that does not.

use std::time::Duration;

use crate::common::story::*;
use evidence::ReadEnd;
use scenarios::Trouble;
use sim::invariants::{End, Fact, FactKind};
use strategies::port::{Event, LeaderEnd};
use strategies::{Outcome, Served};

#[test]
fn i1_one_reader_in_a_process() {
    let two = |node| [led(0, 0, 1), led(50, node, 2), ended(200, 0, 1, DONE), ended(250, node, 2, DONE)];
    tells("coalesce", &two(1), &two(0), "I1 one reader: 2 flights for 1 in one process");
    assert_eq!(said("naive", &two(0)), "", "naive promises nothing");
}

#[test]
fn i1_each_lock_is_good_for_one_flight() {
    let one = [taken(0, 0, 7), led(1, 0, 1), ended(200, 0, 1, DONE), let_go(201, 0, 7)];
    let fine = and(&one, [taken(210, 0, 8), led(211, 0, 2)]);
    tells(
        "singleflight",
        &fine,
        &and(&one, [led(211, 0, 2)]),
        "I1 one reader: flight 0000000000000000-2 for 1 has no lock",
    );
    // Its token is the same where it asked again.
    let again = [taken(0, 0, 7), taken(1, 0, 7), led(2, 0, 1), led(3, 0, 2)];
    assert!(said("singleflight", &again).contains("has no lock, and nothing kept it from asking"));
    // A lock that was let go of without a read is no lock any more.
    let back = [taken(0, 0, 7), let_go(1, 0, 7), led(2, 0, 1)];
    assert!(said("singleflight", &back).contains("has no lock"));
}

#[test]
fn i1_two_readers_need_a_trouble_that_took_the_first_ones_lock_away() {
    let two = [led(1, 0, 1), taken(10_001, 1, 8), led(10_002, 1, 1)];
    let with = |node| and(&[taken(0, 0, 7), trouble(0, Some(node), Trouble::Freeze, 9000)], two.clone());
    tells(
        "singleflight",
        &with(0),
        &with(2),
        "flights 0000000000000000-1 and 0000000000000001-1 for 1, each with its lock",
    );
    let emptied =
        [taken(0, 0, 7), led(1, 0, 1), trouble(50, None, Trouble::CacheEmptied, 0), taken(60, 1, 8), led(61, 1, 1)];
    assert_eq!(said("singleflight", &emptied), "");
}

#[test]
fn i1_without_the_cache_each_replica_reads_for_itself_and_once() {
    let lost = trouble(0, None, Trouble::CacheLost, 1000);
    let each = [lost.clone(), led(200, 0, 1), led(200, 1, 1), led(210, 2, 1)];
    tells(
        "singleflight",
        &each,
        &and(&each, [led(220, 2, 2)]),
        "flights 0000000000000002-1 and 0000000000000002-2 for 1",
    );
    let cut = [trouble(0, Some(1), Trouble::CutThere, 1000), led(200, 1, 1)];
    tells("singleflight", &cut, &and(&cut, [led(210, 0, 1)]), "has no lock");
}

#[test]
fn i1_a_lock_that_is_told_late_is_still_good_for_one_flight() {
    let without = |ms| told(ms, 0, Event::LockFallback(key()));
    let refused = [trouble(0, None, Trouble::CacheRefuses, 1000), taken(1, 0, 7), without(5), led(6, 0, 1)];
    let late = and(&refused, [ended(20, 0, 1, DONE), without(29), led(30, 0, 2), led(31, 0, 3)]);
    tells(
        "singleflight",
        &late,
        &and(&late, [led(32, 0, 4)]),
        "flights 0000000000000000-3 and 0000000000000000-4 for 1, both without a lock",
    );
    // Let go of meanwhile it is good for none.
    let gone = and(&refused, [let_go(10, 0, 7), ended(20, 0, 1, DONE), led(30, 0, 2)]);
    tells("singleflight", &gone, &and(&gone, [led(31, 0, 3)]), "both without a lock");
}

#[test]
fn i1_no_needless_read() {
    let before = [taken(0, 0, 7), put(1, 1, 1), led(1, 0, 1)];
    let after = [put(0, 1, 1), taken(1, 0, 7), led(1, 0, 1)];
    tells("singleflight", &before, &after, "I1 no needless read: flight 0000000000000000-1 for 1 began; a fresh value");
    let stale = [put(0, 1, 1), taken(5001, 0, 7), led(5001, 0, 1)];
    assert_eq!(said("singleflight", &stale), "");
    assert_eq!(said("singleflight", &and(&after[..1], [removed(0, 1), taken(1, 0, 7), led(1, 0, 1)])), "");
}

#[test]
fn i2_no_old_value_over_a_newer_one() {
    let newer = [put(0, 0, 7), put(10, 1, 7), put(20, 0, 8)];
    let older = and(&newer, [put(30, 1, 7)]);
    tells(
        "apee-lrm",
        &newer,
        &older,
        "I2 no old value over a newer one: version 7 of 1 was put over version 8 (open put)",
    );
    assert!(said("singleflight", &older).contains("I2"), "under a lock, too, while nothing takes it away");
    let frozen = and(&[trouble(0, Some(1), Trouble::Freeze, 20)], older.clone());
    assert_eq!(said("singleflight", &frozen), "", "a lock's holder that stood still");
    assert!(said("apee-lrm", &frozen).contains("I2"), "under a lease always");
    assert_eq!(said("naive", &older), "", "naive promises nothing");
    assert_eq!(said("apee-lrm", &and(&newer, [removed(25, 0), put(30, 1, 7)])), "", "it was gone");
    let emptied = and(&newer, [trouble(25, None, Trouble::FailOver, 0), put(30, 1, 7)]);
    assert_eq!(said("apee-lrm", &emptied), "", "another epoch");
}

#[test]
fn i3_locks_belong_to_their_owners() {
    let mine = [taken(0, 0, 7), let_go(100, 0, 7), taken(101, 1, 8)];
    let (given, gone) = ([taken(0, 0, 7), taken(101, 1, 8)], [taken(0, 0, 7), let_go(100, 1, 8)]);
    tells("singleflight", &mine, &given, "I3 locks belong to their owners: 1 was given to");
    tells("singleflight", &[taken(0, 0, 7), taken(10_001, 1, 8)], &gone, "let go of 1, which");
    tells(
        "singleflight",
        &[taken(0, 0, 7), seized(1, 0)],
        &[taken(0, 0, 7), seized(1, 1)],
        "was deleted while replica 0",
    );
}

#[test]
fn p6_nobody_holds_a_lock_for_ever() {
    let renewed = |seconds: i64| (0..seconds).map(|at| prolonged(at * 1000, 0, 7));
    tells(
        "apee-lrm",
        &and(&[taken(0, 0, 7)], renewed(30)),
        &and(&[taken(0, 0, 7)], renewed(40)),
        "1 is held for 32000",
    );
}

#[test]
fn i4_hard_life() {
    let hit = |at, age_ms, version| {
        let served = Served {
            age: Duration::from_millis(age_ms),
            version,
            value: value(version),
            ..served(Outcome::Hit, 1, None)
        };
        [put(0, 0, 1), asked(at, 0, 1), answered(at + 1, 0, 1, ok(served))]
    };
    tells("naive", &hit(4900, 4900, 1), &hit(4900, 5100, 1), "I4 hard life: request 1 for 1 has a value of age 5100");
    tells("naive", &hit(5050, 4900, 1), &hit(5500, 4900, 1), "has version 1, put 5501.000 ms ago, past 5100");
    assert!(said("naive", &hit(4900, 10, 2)).contains("is a hit of version 2, never put"));
}

#[test]
fn i5_the_origins_bounds() {
    let run = |reads: &[(u64, Option<u64>, u64)]| {
        let rows: Vec<_> = (1_u64..).zip(reads).collect();
        let leds: Vec<Fact> = rows.iter().map(|(n, _)| led(0, 0, *n)).collect();
        let ends = rows
            .iter()
            .map(|(n, (_, start, _))| ended(900, 0, *n, if start.is_some() { DONE } else { LeaderEnd::OriginError }));
        let reads = rows.iter().map(|(n, (arrived, start, end))| {
            let outcome = if start.is_some() { ReadEnd::Ok } else { ReadEnd::Rejected };
            read(0, *n, *arrived, *start, *end, outcome)
        });
        and(&and(&leds, ends), reads.chain([over(0)]))
    };
    let full = [(0, Some(0), 200), (0, Some(0), 200), (10, Some(200), 400)];
    let many = [(0, Some(0), 200), (0, Some(0), 200), (10, Some(199), 400)];
    tells(
        "naive",
        &run(&full),
        &run(&many),
        "I5 the origin's bounds: 3 reads at once at 199000000 ns; the origin has 2 places",
    );
    let long = [full[0], full[1], full[2], (20, Some(200), 400)];
    assert!(said("naive", &run(&long)).contains("2 reads wait at 20000000 ns; the origin's queue has 1 places"));
    let refused = [full[0], full[1], full[2], (20, None, 20)];
    let early = [full[0], full[1], (5, None, 5), full[2]];
    tells("naive", &run(&refused), &run(&early), "a read was refused at 5000000 ns, with 2 served and 0 waiting");

    // The replicas say one after the other, the origin's ledger says otherwise.
    let flights = [led(0, 0, 1), ended(100, 0, 1, DONE), led(100, 0, 2), ended(200, 0, 2, DONE)];
    let ledger = |end| and(&flights, [good(0, 1, 0, end), good(0, 2, 100, 200), over(0)]);
    tells("coalesce", &ledger(100), &ledger(101), "the origin read key 1 2 times at once at 0.100000 s, 2 times for");
}

/// Who read without the lock because the cache was slow may wait in its replica's `limit` until all is well again: what
/// excuses it is what was wrong when its flight began, and not when its read comes (seed 61151).
#[test]
fn i5_an_excuse_is_of_when_the_flight_began() {
    let reads = [good(0, 1, 7600, 7700), good(1, 1, 7600, 7700), over(0)];
    // The holder and one who cannot ask for the lock begin at 5 s; the slow cache is well again at 5.5 s.
    let flights = |slow_at| {
        let holder = and(&[trouble(slow_at, None, Trouble::CacheSlow, 500)], [taken(5000, 0, 7), led(5001, 0, 1)]);
        and(&holder, [led(5300, 1, 1), ended(7701, 0, 1, DONE), ended(7701, 1, 1, DONE), let_go(7702, 0, 7)])
    };
    assert_eq!(said("apee-lrm", &and(&flights(5000), reads.clone())), "");

    // The flights follow one another and the reads do not: then a trouble that came after both had begun excuses nothing.
    let in_turn = |at| {
        let first = [taken(0, 0, 7), led(1, 0, 1), ended(99, 0, 1, DONE), let_go(100, 0, 7)];
        let second = [taken(110, 1, 8), led(111, 1, 1), ended(300, 1, 1, DONE), let_go(301, 1, 8)];
        let mut log = and(&and(&first, second), [trouble(at, None, Trouble::CacheSlow, 10)]);
        log.sort_by_key(|fact| fact.at_ns);
        and(&log, [good(0, 1, 2, 290), good(1, 1, 280, 299), over(0)])
    };
    tells("apee-lrm", &in_turn(105), &in_turn(200), "the origin read key 1 2 times at once at 0.280000 s");
}

#[test]
fn i6_true_labels() {
    let one = |served| [put(0, 0, 1), asked(5, 0, 1), answered(10, 0, 1, ok(served))];
    let (hit, stale) = (one(served(Outcome::Hit, 1, None)), one(served(Outcome::Stale, -1, None)));
    tells(
        "swr",
        &hit,
        &one(served(Outcome::Hit, -1, None)),
        "I6 true labels: request 1 is called a hit, 1.000 ms past",
    );
    tells("swr", &stale, &one(served(Outcome::Stale, 1, None)), "is called stale and is fresh");
    assert!(said("naive", &stale).contains("is stale, and its strategy serves nothing stale"));
    let wait = |left| one(served(Outcome::Wait, left, None));
    tells("swr", &wait(1), &wait(0), "request 1 waited and has a value that is");
    let load = served(Outcome::Load, 1, Some(flight(0, 1)));
    let flew =
        [asked(0, 0, 1), asked(0, 0, 2), led(1, 0, 1), ended(9, 0, 1, DONE), answered(10, 0, 1, ok(load.clone()))];
    tells("naive", &flew, &one(load.clone()), "claims flight 0000000000000000-1, which did not end well");
    assert!(said("naive", &and(&flew, [answered(11, 0, 2, ok(load))])).contains("and so did another"));
    assert!(said("naive", &one(served(Outcome::Shed, 1, None))).contains("is called shed"));
}

#[test]
fn i7_one_answer_in_time() {
    let hit = || ok(served(Outcome::Wait, 1, None));
    let once = [asked(0, 0, 1), answered(8200, 0, 1, hit())];
    tells(
        "naive",
        &once,
        &[asked(0, 0, 1), answered(8300, 0, 1, hit())],
        "I7 one answer, in time: request 1 took 8300",
    );
    tells("naive", &once, &and(&once, [answered(8201, 0, 1, hit())]), "request 1 ended twice");
    tells("naive", &and(&once, [over(0)]), &[asked(0, 0, 1), over(0)], "1 requests never ended");
    assert!(said("naive", &[answered(1, 0, 9, hit())]).contains("request 9 ended and never began"));
    assert!(said("naive", &[asked(0, 0, 1), answered(60_000, 0, 1, End::Never)]).contains("had no answer after 60000"));
    for (end, words) in
        [(End::Reset, "was dropped, and its replica had not died"), (End::Refused, "its replica was alive")]
    {
        let crash =
            |node| [trouble(0, Some(node), Trouble::Crash, 100), asked(5, 0, 1), answered(6, 0, 1, end.clone())];
        tells("naive", &crash(0), &crash(1), words);
    }
    let frozen = [asked(0, 0, 1), trouble(100, Some(0), Trouble::Freeze, 9000), answered(9200, 0, 1, hit())];
    assert_eq!(said("naive", &frozen), "");
}

#[test]
fn i9_flights_end_and_nothing_goes_on() {
    let one = [led(0, 0, 1), ended(200, 0, 1, DONE), good(0, 1, 0, 200)];
    tells("naive", &and(&one, [over(0)]), &and(&one, [over(2)]), "2 tasks go on after the end");
    tells(
        "naive",
        &one,
        &and(&one[..2], [ended(201, 0, 1, DONE)]),
        "I9 flights end: flight 0000000000000000-1 ended twice",
    );
    tells("naive", &one, &one[1..2], "ended and never began");
    tells("naive", &one, &[led(0, 0, 1), led(1, 0, 1)], "began twice");
    tells("naive", &one, &[led(0, 0, 1), over(0)], "never ended");
}

#[test]
fn i17_two_ledgers() {
    let flew = [led(0, 0, 1), ended(200, 0, 1, DONE)];
    let fine = and(&flew, [good(0, 1, 0, 200), over(0)]);
    tells(
        "naive",
        &fine,
        &and(&flew, [over(0)]),
        "I17 two ledgers: flight 0000000000000000-1 ended well, and the origin never",
    );
    tells("naive", &fine, &and(&flew, [good(0, 1, 0, 200), good(0, 1, 0, 200)]), "saw flight 0000000000000000-1 twice");
    tells("naive", &fine, &and(&flew, [good(0, 2, 0, 200)]), "which nobody led");
    tells(
        "naive",
        &fine,
        &and(&flew, [read(0, 1, 0, Some(0), 200, ReadEnd::Failed)]),
        "ended well, and its read failed",
    );
    let mut other = good(0, 1, 0, 200);
    if let FactKind::Read(read) = &mut other.what {
        read.replica = 2;
    }
    tells("naive", &fine, &and(&flew, [other]), "for 1 from 2");
}

#[test]
fn i18_right_values() {
    let wait = |at, version, value| {
        let served = Served { version, value, ..served(Outcome::Wait, 1, None) };
        [asked(at, 0, 1), answered(at + 1, 0, 1, ok(served))]
    };
    let name = "I18 right values: request 1 ";
    tells(
        "naive",
        &wait(1000, 2, value(2)),
        &wait(1000, 2, value(1)),
        &format!("{name}for 1 was answered with what is not its version 2"),
    );
    tells("naive", &wait(1000, 1, value(1)), &wait(1000, 1, None), "is not its version 1");
    tells("naive", &wait(1000, 2, value(2)), &wait(1000, 3, value(3)), "has version 3, which is not written yet");
    tells(
        "naive",
        &wait(20_000, 10, value(10)),
        &wait(20_000, 9, value(9)),
        "has version 9, which was not the row's for",
    );
}

#[test]
fn xfetchs_law() {
    // δ = 200 ms, 1 ms left: each of them refreshes with probability 0.995.
    let hits = |n: u32| {
        let hit = |request| [asked(4999, 0, request), answered(4999, 0, request, ok(served(Outcome::Hit, 1, None)))];
        and(&[put(0, 0, 1)], (1..=n).flat_map(hit))
    };
    tells("xfetch", &hits(30), &hits(31), "XFetch's law: no early refresh where 30.8 were to be expected");
    let once = and(&[told(0, 0, Event::EarlyRefresh(key()))], hits(31));
    assert_eq!(said("xfetch", &once), "");
    assert_eq!(said("singleflight", &hits(31)), "", "another policy has another law");
}
