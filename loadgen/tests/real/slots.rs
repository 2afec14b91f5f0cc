//! A replica's own request slots, and its peak of waiters: the same in the simulated and in a real lab.

use crate::common::{assert_ended, beside, only_run, record, run, unspoiled};
use report::record::Strategy;

const LABS: [&[&str]; 2] = [&["--lab", "sim"], &["--lab", "local", "--cache", "memory"]];

fn cold_herd(lab: &[&str], flags: &[&str]) -> Strategy {
    let results = tempfile::tempdir().unwrap();
    let own = ["--scenario", "hotkey", "--replicas", "1", "-w", "0s", "-d", "2s", "--quiet"];
    let (said, path) =
        unspoiled(results.path(), |folder| run(&[&own[..], &["-o", folder.to_str().unwrap()], flags, lab].concat()));
    assert_ended(&said, &path, &[0]);
    record(&path).strategies.remove(0)
}

#[test]
fn without_a_limit_the_herd_waits_and_with_one_the_rest_is_shed() {
    for lab in LABS {
        // Fifty clients ask within 120 ms for what takes 200 ms.
        let free = cold_herd(lab, &["--strategy", "singleflight"]);
        assert!((40..=50).contains(&free.peak_waiters.unwrap()), "{lab:?}: {:?}", free.peak_waiters);
        assert_eq!(free.outcomes.shed, 0, "{lab:?}");
        // Two wait for the read in their slots, and three for a slot.
        let slots = ["--set", "replica.concurrency=2", "--set", "replica.queue=3"];
        let bound = cold_herd(lab, &[&["--strategy", "singleflight"][..], &slots].concat());
        assert_eq!(bound.peak_waiters, Some(5), "{lab:?}");
        assert!(bound.outcomes.shed > 20 && bound.outcomes.hit > 100, "{lab:?}: {:?}", bound.outcomes);
    }
}

#[test]
fn the_peak_is_of_the_measured_phase() {
    let _beside = beside();
    // The cold herd comes in the warm-up; at t = 0 the key is warm, and is not read again before the end.
    let warm = ["--strategy", "singleflight", "-w", "2s", "-d", "2s", "--set", "keys.hot_share=1.0"];
    let results = tempfile::tempdir().unwrap();
    let own = ["--scenario", "hotkey", "--replicas", "1", "--lab", "sim", "--quiet"];
    let said = run(&[&own[..], &warm, &["-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(record(&only_run(results.path())).strategies[0].peak_waiters, Some(0));
}
