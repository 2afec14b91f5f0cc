//! Repeats, `compare` and `aa`: blocks are runs like any other, and what is said of them follows from them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::common::{beside, only_run, record, run, strategy, unspoiled};
use report::compare::read_noise;
use report::compare::stats::Call;
use report::record::{Metric, Run};

const SHORT: [&str; 8] = ["--scenario", "hotkey-open", "--lab", "sim", "--quiet", "-d", "12s", "--noise"];

fn simulated(results: &Path, args: &[&str]) -> PathBuf {
    let _beside = beside();
    let noise = results.join("no-noise");
    let said = run(&[&SHORT[..], &[noise.to_str().unwrap(), "-o", results.to_str().unwrap()], args].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    only_run(results)
}

fn called(run: &Run, name: &str, metric: Metric) -> Call {
    run.comparisons.iter().find(|one| one.strategy == name && one.metric == metric).unwrap().verdict
}

#[test]
fn each_block_runs_every_strategy_once_under_the_next_seeds_plan() {
    let dir = tempfile::tempdir().unwrap();
    let path = simulated(&dir.path().join("all"), &["--repeats", "8", "--strategy", "naive,coalesce,swr"]);
    let all = record(&path);
    assert!(all.complete);
    assert_eq!(all.blocks.iter().map(|block| block.seed).collect::<Vec<_>>(), (42..50).collect::<Vec<_>>());
    let plans: BTreeSet<&String> = all.blocks.iter().map(|block| &block.plan_hash).collect();
    assert_eq!((plans.len(), &all.blocks[0].plan_hash), (8, &all.plan_hash));
    let orders: BTreeSet<&Vec<String>> = all.blocks.iter().map(|block| &block.order).collect();
    assert!(orders.len() > 2, "orders are drawn: {orders:?}");
    for order in orders {
        let names: BTreeSet<&str> = order.iter().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["naive", "coalesce", "swr"]));
    }
    assert_eq!(all.strategies.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["naive", "coalesce", "swr"]);

    // The third block is the run that its seed makes, to the last figure and the last byte of its ledger.
    let alone = simulated(&dir.path().join("one"), &["--seed", "44", "--strategy", "coalesce"]);
    let (third, single) = (&strategy(&all, "coalesce").repeats[1], record(&alone));
    assert_eq!(third.folder, "coalesce/r03");
    assert_eq!(report::figures(third), report::figures(strategy(&single, "coalesce")));
    let ledger = |run: &Path, folder: &str| std::fs::read(run.join(folder).join("origin.csv")).unwrap();
    assert_eq!(ledger(&path, "coalesce/r03"), ledger(&alone, "coalesce"));

    assert_eq!(called(&all, "swr", Metric::OriginTotal), Call::Improved);
    assert_eq!(called(&all, "swr", Metric::P99), Call::Improved);
    assert_eq!(called(&all, "coalesce", Metric::Errors), Call::Equivalent);
    let shown = std::fs::read_to_string(path.join("summary.md")).unwrap();
    assert!(shown.contains("against naive, by 8 blocks") && shown.contains("Medians of 8 runs"), "{shown}");
}

#[test]
fn the_table_has_medians_of_all_runs() {
    let dir = tempfile::tempdir().unwrap();
    let all = record(&simulated(dir.path(), &["--repeats", "3", "--strategy", "naive"]));
    let mut totals: Vec<u64> = all.strategies[0].runs().map(|run| crate::common::origin_of(run).total).collect();
    totals.sort_unstable();
    assert!(totals[0] < totals[2], "seeds differ");
    assert_eq!(crate::common::origin_of(&all.typical().strategies[0]).total, totals[1]);
    assert!(all.comparisons.is_empty(), "nobody to compare with");
}

#[test]
fn runs_are_compared_by_strategy_and_what_differs_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, args: &[&str]| {
        let args = [&["--repeats", "8", "--strategy", "singleflight"], args].concat();
        simulated(&dir.path().join(name), &args).to_str().unwrap().to_owned()
    };
    let (base, slow) = (make("base", &[]), make("slow", &["--set", "origin.service_time=260ms"]));
    let said = run(&["compare", &base, &slow]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for words in ["origin.service_time  BASE 200ms  NEW 260ms", "by 8 runs of each", "WORSE"] {
        assert!(said.out.contains(words), "{words:?} in {}", said.out);
    }
    let said = run(&["compare", &base, &base, "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["schema"], "stampede.compare/v1");
    for one in document["against"][0]["comparisons"].as_array().unwrap() {
        assert_eq!((&one["ratio"], &one["p_holm"]), (&1.0.into(), &1.0.into()), "{one}");
        assert!(["equivalent", "inconclusive"].contains(&one["verdict"].as_str().unwrap()), "{one}");
    }
    // Another load is another question.
    let more = make("more", &["-r", "500/s"]);
    let said = run(&["compare", &base, &more]);
    assert_eq!(said.code, Some(3));
    for words in ["not comparable", "load.rate", "found 500/s", "needed 400/s", "plan_hash"] {
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
    }
    let other = simulated(&dir.path().join("other"), &["--strategy", "naive"]);
    let said = run(&["compare", &base, other.to_str().unwrap()]);
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("no strategy of the one in the other"), "{}", said.err);
}

#[test]
fn the_same_thing_against_itself_is_measured_and_its_noise_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let noise = dir.path().join("noise");
    let aa = |args: &str, output: &Path| {
        let fixed = "aa --scenario hotkey --quiet -w 500ms -d 1s --set cache.ttl=500ms";
        let places = ["-o", output.to_str().unwrap(), "--noise", noise.to_str().unwrap()];
        run(&fixed.split(' ').chain(args.split(' ')).chain(places).collect::<Vec<_>>())
    };
    let six = "--lab local --cache memory --repeats 6 --strategy coalesce";
    // On a machine that is busy for a moment a run may be invalid, and then nothing is kept.
    let (said, _) = unspoiled(dir.path(), |folder| aa(six, folder));
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("6 pairs of coalesce differ by at most: origin reads "), "{}", said.out);
    let path = only_run(&noise);
    let file = read_noise(&path).unwrap().unwrap();
    assert_eq!((file.bands.len(), file.bands[0].pairs, file.bands[0].within.len()), (1, 6, 4));
    assert!(file.bands[0].within.values().all(|share| *share >= 0.01), "no band is narrower than 1 %");
    assert_eq!(path.file_stem().unwrap().to_str(), Some(file.machine.as_str()));

    for (args, words) in [
        ("--lab local --strategy coalesce --repeats 1", "too few pairs · --repeats 1 · needed at least 6"),
        ("--lab local --strategy coalesce,naive", "found 2, allowed exactly 1"),
        ("--lab sim --strategy coalesce", "nothing to measure · --lab sim"),
    ] {
        let said = aa(args, dir.path());
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
    }
    std::fs::write(&path, "{").unwrap();
    let said = aa(six, dir.path());
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("ends early"), "{}", said.err);
}
