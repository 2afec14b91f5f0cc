//! Clients that try again, in virtual time: how often, when, at whose cost, and what is recorded of it.

use std::collections::BTreeMap;

use crate::common::{Tally, run, scenario, simulated};
use scenarios::{RETRY_RESERVE, Scenario};
use strategies::Outcome;

const S: i64 = 1_000_000_000;

/// 20 requests a second for 100 items; the origin fails from 5 s on for 5 s.
fn failing(sets: &[(&str, &str)]) -> Scenario {
    let text = r#"
schema = 1
name = "failing"
strategies = ["naive"]
[load]
rate = "20/s"
duration = "20s"
timeout = "1s"
[load.retry]
attempts = 4
base = "100ms"
cap = "300ms"
[keys]
kind = "uniform"
n = 100
value_size = "256B"
[cache]
ttl = "1s"
[origin]
service_time = "50ms"
[[event]]
at = "5s"
do = "origin-fail"
for = "5s"
"#;
    scenario(text, sets)
}

fn tally(scenario: &Scenario, spec: &str) -> Tally {
    simulated(scenario, spec, 3, 42)
}

/// When each attempt of each request was sent.
fn sent(tally: &Tally) -> BTreeMap<(i64, u32), Vec<i64>> {
    let mut sent: BTreeMap<(i64, u32), Vec<i64>> = BTreeMap::new();
    for (request, at_ns) in &tally.attempts {
        sent.entry((request.intended_ns, request.key)).or_default().push(*at_ns);
    }
    sent
}

#[test]
fn a_failed_request_is_tried_again_with_a_growing_back_off_and_counts_once() {
    let tally = tally(&failing(&[]), "naive");
    assert_eq!((tally.answered, tally.requests), (tally.offered, tally.offered), "each request has one end");
    let sent = sent(&tally);
    assert_eq!(sent.len() as u64, tally.offered);
    for ((intended, _), at) in &sent {
        assert_eq!(at[0], *intended, "the first attempt is the planned one");
        // It failed at once (but for the way), or after the service time.
        for (back_off_ms, pair) in [100, 200, 300].iter().zip(at.windows(2)) {
            let waited = pair[1] - pair[0];
            assert!((0..=(back_off_ms + 52) * 1_000_000).contains(&waited), "{waited}");
        }
    }
    assert!(sent.values().any(|at| at.len() == 4) && sent.values().all(|at| at.len() <= 4));
    // Half a second of back-offs at most: a request in the last part of the failure was saved.
    let saved = tally.ends.iter().filter(|(request, _)| request.intended_ns > 9 * S + S / 2).count();
    assert!(saved > 0 && tally.outcomes[Outcome::Error as usize] > 0);
    let after = |(request, _): &&(sim::Request, i64)| request.intended_ns > 10 * S;
    assert_eq!(tally.ends.iter().filter(after).count(), 0, "nobody tries again when all is well");
}

#[test]
fn without_the_table_nothing_is_told() {
    let quiet = Scenario { load: scenarios::Load { retry: None, ..failing(&[]).load }, ..failing(&[]) };
    let tally = tally(&quiet, "naive");
    assert_eq!((tally.attempts.len(), tally.ends.len()), (0, 0));
}

#[test]
fn the_budget_bounds_the_retries_of_any_span_and_says_whom_it_refused() {
    let tally = tally(&failing(&[("load.retry.budget", "0.1")]), "naive");
    let (mut excess, mut retries) = (0.0_f64, 0);
    for (request, _) in &tally.attempts {
        let retry = request.attempts > 1;
        excess = (excess + if retry { 1.0 } else { -0.1 }).max(0.0);
        retries += u64::from(retry);
        assert!(excess <= RETRY_RESERVE + 1e-6, "{excess}");
    }
    assert!(retries > 5, "{retries} retries");
    assert!(tally.ends.iter().filter(|(request, _)| request.unpaid).count() > 20);
}

#[test]
fn retry_after_is_honoured_unless_it_is_ignored() {
    let guarded = "plain + bare + breaker(samples=3, window=2s, cool_down=2s)";
    let waits = |word: &str| {
        let tally = tally(&failing(&[("load.retry.retry_after", word)]), guarded);
        let sent = sent(&tally);
        sent.into_values().flat_map(|at| at.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()).collect()
    };
    let (honoured, ignored): (Vec<i64>, Vec<i64>) = (waits("honour"), waits("ignore"));
    assert!(honoured.iter().any(|wait| *wait >= S), "who is shed comes back a second later");
    assert!(ignored.iter().all(|wait| *wait < S / 2));
}

#[test]
fn the_same_seed_tries_again_at_the_same_times() {
    let again = |seed| run(&failing(&[]), "naive", 3, seed, Tally::default()).0.attempts;
    assert_eq!(again(7), again(7));
    assert_ne!(again(7), again(8));
}

#[test]
fn a_client_that_gives_up_leaves_its_read_behind_and_its_next_attempt_finds_the_value() {
    // A read takes longer than a client waits, and its value is stored all the same.
    let slow = failing(&[("origin.service_time", "1500ms"), ("cache.ttl", "20s"), ("event.for", "1ms")]);
    let tally = tally(&slow, "naive");
    let timed_out = tally.ends.iter().filter(|(request, _)| request.attempts > 1).count();
    assert!(timed_out > 50, "{timed_out}");
    assert_eq!(tally.outcomes[Outcome::Error as usize], 0, "every one of them is served in the end");
}
