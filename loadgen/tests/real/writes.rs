//! Writes on real sockets, a real SQLite and a real Redis: the ledgers agree, the figures follow from the files, and the simulated run of the
//! same plan comes to the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use report::record::{Run, Strategy};

use crate::common::{assert_ended, each, folder, record, run, sound, unspoiled};

const RUN: [&str; 12] = [
    "--scenario",
    "write-race",
    "-w",
    "2s",
    "-d",
    "12s",
    "--set",
    "load.rate=200/s",
    "--set",
    "writes.rate=4/s",
    "--strategy",
    "plain + lock + invalidate,plain + lease + invalidate,plain + lease + write-through",
];

/// A run that its thresholds do not judge: they are for a minute of it.
fn well(results: &Path, more: &[&str]) -> (PathBuf, Run) {
    let (said, path) = unspoiled(results, |folder| run(&[&RUN[..], more, &["-o", folder.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0, 99]);
    let run = record(&path);
    (path, run)
}

/// What the two files say of answers that are behind for certain, and of those of which it is not known.
fn recomputed(run_path: &Path, run: &Run, strategy: &Strategy) -> (u64, u64, u64) {
    let files = folder(run_path, &strategy.folder);
    let (mut commits, mut answers) = (BTreeMap::<u32, Vec<(u64, i64, i64)>>::new(), Vec::new());
    files
        .each_write(&mut |row| {
            if let (Some(version), Some(began), Some(ended)) = (row.version, row.commit_began_ns, row.committed_ns) {
                commits.entry(row.key.parse().unwrap()).or_default().push((version, began, ended));
            }
        })
        .unwrap();
    files.each_answer(&mut |row| answers.push(row.clone())).unwrap();
    let (end_ns, apart) = ((run.duration_s * 1e9) as i64, run.clock_uncertainty_ns.unwrap().cast_signed());
    let (mut all, mut stale, mut unknown) = (0, 0, 0);
    for answer in answers.iter().filter(|row| row.op == "read" && (0..end_ns).contains(&row.began_ns)) {
        all += 1;
        let newer =
            commits.get(&answer.key).and_then(|of_key| of_key.iter().find(|(made, ..)| *made == answer.version + 1));
        let Some((_, began, ended)) = newer else { continue };
        stale += u64::from(answer.began_ns - ended >= apart);
        unknown += u64::from(answer.began_ns - ended < apart && began - apart <= answer.began_ns);
    }
    (all, stale, unknown)
}

#[test]
fn real_writes_have_three_witnesses_and_their_staleness_is_that_of_the_files_and_of_the_simulation() {
    // Redis where there is one.
    each([&[][..], &["--cache", "memory"]], |cache: &[&str]| {
        let results = tempfile::tempdir().unwrap();
        let (path, real) = well(&results.path().join("real"), &[&["--lab", "local"], cache].concat());
        let (_, sim) = well(&results.path().join("sim"), &["--lab", "sim"]);
        for (strategy, simulated) in real.strategies.iter().zip(&sim.strategies) {
            let name = &strategy.name;
            assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
            let (behind, writes) = (strategy.behind.as_ref().unwrap(), strategy.writes.as_ref().unwrap());
            assert_eq!((writes.acknowledged, writes.failed, writes.unknown), (writes.sent, 0, 0), "{name}: {writes:?}");
            // The clocks of origin and generator are known better than those of all parts together.
            let (all, stale, unknown) = recomputed(&path, &real, strategy);
            assert_eq!(behind.answers, all, "{name}");
            assert!(
                behind.stale.abs_diff(stale) <= unknown + behind.unknown + 2,
                "{name}: {behind:?}, {stale} by the files"
            );
            let of_sim = simulated.behind.as_ref().unwrap();
            let shares = (behind.share.unwrap(), of_sim.share.unwrap());
            assert!((shares.0 - shares.1).abs() < 0.1, "{name}: {shares:?}");
            let committed = (writes.committed, simulated.writes.as_ref().unwrap().committed);
            assert!(committed.0.abs_diff(committed.1) <= 1, "{name}: one plan, {committed:?}");
        }
        let of = |name: &str| real.strategies.iter().find(|s| s.name == name).unwrap();
        assert!(of("plain + lock + invalidate").writes.as_ref().unwrap().wrong_sets > 0);
        let lease = of("plain + lease + invalidate");
        assert_eq!(lease.writes.as_ref().unwrap().wrong_sets, 0);
        // A round trip; and what an idle machine's scheduler takes.
        assert!(lease.behind.as_ref().unwrap().wrong_ms_max.unwrap() < 100.0, "{:?}", lease.behind);
    });
}
