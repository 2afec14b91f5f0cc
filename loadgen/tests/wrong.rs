//! What is wrong on purpose is seen to be wrong by a run's figures, beside the right one's: the table of docs/invariants.md.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod common;

use common::{only_run, record, run};
use report::figure;

/// A figure of the right strategy and of the wrong one, by a run of both in the sim lab.
fn figures(args: &[&str], [right, wrong]: [&str; 2], name: &str) -> [f64; 2] {
    let results = tempfile::tempdir().unwrap();
    let both = format!("{right},{wrong}");
    let own = ["--lab", "sim", "--quiet", "--strategy", &both, "-o", results.path().to_str().unwrap()];
    let said = run(&[args, &own].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let record = record(&only_run(results.path()));
    [right, wrong].map(|strategy| {
        let metrics = report::metrics(common::strategy(&record, strategy));
        figure(&metrics, name).flatten().and_then(|number| number.as_f64()).unwrap()
    })
}

#[test]
fn who_does_not_look_again_reads_what_is_there() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/files/waiter-paused.toml");
    let pair = ["singleflight", "broken-lock-no-reread"];
    assert_eq!(figures(&["--scenario", file], pair, "origin.total"), [5.0, 10.0]);
}

#[test]
fn a_turned_sign_refreshes_nothing_early() {
    let pair = ["xfetch", "broken-xfetch-sign"];
    let [right, wrong] = figures(&["--scenario", "hotkey-open", "-d", "20s"], pair, "events.early_refresh");
    assert!(right >= 3.0 && wrong == 0.0, "{right} {wrong}");
}

#[test]
fn losers_that_load_are_the_herd() {
    let pair = ["singleflight", "broken-losers-load"];
    let [right, wrong] = figures(&["--scenario", "hotkey-open", "-d", "20s"], pair, "origin.per_expiry.mean");
    assert!(right <= 1.1 && wrong > 50.0, "{right} {wrong}");
}

#[test]
fn a_dead_holders_lock_without_an_end_sheds_everybody() {
    let [right, wrong] =
        figures(&["--scenario", "holder-crash"], ["singleflight", "broken-lock-no-ttl"], "outcomes.shed");
    assert!(wrong > right * 1.5, "{right} {wrong}");
}
