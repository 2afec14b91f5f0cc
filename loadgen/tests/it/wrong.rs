//! What is wrong on purpose is seen to be wrong by a run's figures, beside the right one's: the table of docs/invariants.md.

use crate::common::{Said, only_run, record, run};
use report::figure;
use tempfile::TempDir;

/// A run of the right strategy and of the wrong one in the sim lab.
struct Both {
    results: TempDir,
    names: [&'static str; 2],
    said: Said,
}

impl Both {
    fn run(args: &[&str], names: [&'static str; 2]) -> Self {
        let results = tempfile::tempdir().unwrap();
        let own = ["--lab", "sim", "--quiet", "--strategy", &names.join(","), "-o", results.path().to_str().unwrap()];
        let said = run(&[args, &own].concat());
        Self { results, names, said }
    }

    /// Of a run that must be valid.
    fn valid(args: &[&str], names: [&'static str; 2]) -> Self {
        let both = Self::run(args, names);
        assert_eq!(both.said.code, Some(0), "{}{}", both.said.out, both.said.err);
        both
    }

    /// A figure of the right one and of the wrong one.
    fn figure(&self, name: &str) -> [f64; 2] {
        let record = record(&only_run(self.results.path()));
        self.names.map(|strategy| {
            let metrics = report::metrics(crate::common::strategy(&record, strategy));
            figure(&metrics, name).flatten().and_then(|number| number.as_f64()).unwrap()
        })
    }
}

#[test]
fn who_does_not_look_again_reads_what_is_there() {
    let both = Both::valid(&["--scenario", "waiter-paused"], ["singleflight", "broken-lock-no-reread"]);
    assert_eq!(both.figure("origin.total"), [5.0, 10.0]);
}

#[test]
fn a_release_of_anothers_lock_lets_a_third_one_read() {
    let both = Both::valid(&["--scenario", "holder-returns"], ["singleflight", "broken-release-anybodys"]);
    assert_eq!(both.figure("origin.max_in_flight"), [1.0, 2.0]);
    assert_eq!(both.figure("origin.total"), [3.0, 4.0]);
}

#[test]
fn without_a_fence_an_old_value_goes_over_a_newer_one() {
    let both = Both::valid(&["--scenario", "holder-returns"], ["plain + lease", "broken-unfenced-lease"]);
    assert_eq!(both.figure("events.lock_lost"), [2.0, 2.0]);
    assert_eq!(both.figure("events.fenced"), [2.0, 0.0]);
    let checked = run(&["check", only_run(both.results.path()).to_str().unwrap()]);
    assert_eq!(checked.code, Some(1), "{}{}", checked.out, checked.err);
    let lines: Vec<&str> = checked.out.lines().collect();
    assert!(lines[0].starts_with("plain + lease ") && lines[0].ends_with("every invariant held"), "{lines:?}");
    assert!(lines[1].starts_with("broken-unfenced-lease I2 no old value over a newer one"), "{lines:?}");
}

#[test]
fn a_turned_sign_refreshes_nothing_early() {
    let both = Both::valid(&["--scenario", "hotkey-open", "-d", "20s"], ["xfetch", "broken-xfetch-sign"]);
    let [right, wrong] = both.figure("events.early_refresh");
    assert!(right >= 3.0 && wrong == 0.0, "{right} {wrong}");
}

#[test]
fn losers_that_load_are_the_herd() {
    let both = Both::valid(&["--scenario", "hotkey-open", "-d", "20s"], ["singleflight", "broken-losers-load"]);
    let [right, wrong] = both.figure("origin.per_expiry.mean");
    assert!(right <= 1.1 && wrong > 50.0, "{right} {wrong}");
}

#[test]
fn a_dead_holders_lock_without_an_end_sheds_everybody() {
    let both = Both::valid(&["--scenario", "holder-crash"], ["singleflight", "broken-lock-no-ttl"]);
    let [right, wrong] = both.figure("outcomes.shed");
    assert!(wrong > right * 1.5, "{right} {wrong}");
}

#[test]
fn a_first_fill_without_the_lock_is_a_herd() {
    let both = Both::valid(&["--scenario", "cold-start"], ["swr", "broken-swr-unprotected-fill"]);
    let [right, wrong] = both.figure("origin.max_per_second");
    assert!(right <= 10.0 && wrong > 50.0, "{right} {wrong}"); // ten keys
}

#[test]
fn stale_for_ever_is_served_past_its_window() {
    let both = Both::valid(&["--scenario", "origin-outage"], ["swr(stale=1s) + lock", "broken-stale-for-ever"]);
    let [right, wrong] = both.figure("stale.overage_ms_max");
    assert!(right <= 1000.0 && wrong > 1500.0, "{right} {wrong}");
}

#[test]
fn a_flight_that_goes_with_its_caller_never_fills_the_cache() {
    let impatient = ["--scenario", "hotkey-open", "-d", "20s", "--set", "load.timeout=100ms"];
    let both = Both::run(&impatient, ["coalesce", "broken-callers-flight"]);
    assert_eq!(both.said.code, Some(4), "the wrong one's warm-up has no hit: {}{}", both.said.out, both.said.err);
    let ([right, wrong], [requests, _]) = (both.figure("errors"), both.figure("requests"));
    assert!(right < requests / 20.0 && wrong > requests * 0.99, "{right} {wrong} of {requests}");
}

const HEARS: &str = "plain + near(ttl=60s, invalidate=tracking) + coalesce + lease + invalidate";

#[test]
fn copies_that_are_kept_over_a_lost_connection_stay_wrong() {
    let both = Both::run(&["--scenario", "invalidation-bus"], [HEARS, "broken-tracking-no-flush"]);
    let [right, wrong] = both.figure("behind.share");
    assert!(right < 0.02 && wrong > 0.05, "{right} {wrong}");
}

#[test]
fn a_reply_that_a_change_has_overtaken_stays_wrong_until_the_next_one() {
    let right = "plain + near(ttl=60s, invalidate=tracking) + coalesce + lease + write-through";
    let load = ["--scenario", "client-side", "--set", "writes.rate=100/s", "-d", "60s"];
    let [right, wrong] = Both::run(&load, [right, "broken-tracking-race"]).figure("behind.age_ms.max");
    assert!(right < 10.0 && wrong > 20.0, "{right} {wrong}");
}

#[test]
fn copies_without_a_bound_are_as_many_as_there_are_keys() {
    let both =
        Both::run(&["--scenario", "zipf", "-d", "10s"], ["plain + near(entries=2) + coalesce", "broken-near-no-bound"]);
    let [right, wrong] = both.figure("levels.entries_max");
    assert!(right == 2.0 && wrong > 1000.0, "{right} {wrong}");
}
