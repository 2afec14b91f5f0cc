//! Budgets follow the origin: a read of a minute is waited for, in every lab, and what could not come to anything is refused
//! before the run.

use std::path::Path;

use crate::common::{only_run, record, run};
use report::record::Run;

/// A result that takes so long to build, read by fifty clients.
fn slow(service: &str, timeout: &str) -> String {
    format!(
        "schema = 1\nname = \"slow-build\"\nstrategies = [\"naive\", \"swr\", \"stack\", \"plain + bare + limit\"]\n\n[load]\n\
         clients = 20\nthink = \"200ms\"\nwarmup = \"5s\"\nduration = \"90s\"\n{timeout}\n\n[keys]\nkind = \"hot\"\nhot_share = 0.95\nn = 10\n\n[cache]\nttl = \"30s\"\n\n[origin]\n\
         service_time = \"{service}\"\nconcurrency = 64\nqueue = 1024\n"
    )
}

fn simulate(text: &str, flags: &[&str]) -> (i32, String, Option<Run>) {
    let scratch = tempfile::tempdir().unwrap();
    let (file, results) = (scratch.path().join("slow.toml"), scratch.path().join("results"));
    std::fs::write(&file, text).unwrap();
    let own = ["--scenario", file.to_str().unwrap(), "--lab", "sim", "--quiet", "-o", results.to_str().unwrap()];
    let said = run(&[&own[..], flags].concat());
    let record = Path::exists(&results).then(|| record(&only_run(&results)));
    (said.code.unwrap_or(-1), said.err, record)
}

#[test]
fn a_read_of_a_minute_is_waited_for_by_default() {
    // With the budgets of a fast origin each of these reads ended after 5 s, and no run was valid.
    for (service, timeout) in [("12s", ""), ("49s", "timeout = \"10s\""), ("60s", "")] {
        let (code, said, run) = simulate(&slow(service, timeout), &[]);
        assert_eq!(code, 0, "{service}: {said}");
        for strategy in &run.unwrap().strategies {
            let case = format!("{} with reads of {service} {timeout}", strategy.name);
            assert_eq!(strategy.invalid_because, Vec::<String>::new(), "{case}");
            assert!(strategy.outcomes.hit > 200, "{case}: {:?}", strategy.outcomes);
            // Who gives up after ten seconds has nothing from a read of 49.
            assert_eq!(strategy.error_kinds.is_empty(), timeout.is_empty(), "{case}: {:?}", strategy.error_kinds);
        }
        let warnings = scenarios::Scenario::parse(&slow(service, timeout), "slow", &[]).unwrap().warnings().join("\n");
        let told = warnings.contains("`load.timeout` (10s) is not longer than a read takes (49s)");
        assert_eq!(told, !timeout.is_empty(), "{warnings}");
    }
}

#[test]
fn what_could_not_come_to_anything_is_refused_before_the_run() {
    let slow = slow("49s", "");
    for (flags, words) in [
        (
            &["--strategy", "singleflight(lease=10s)"][..],
            "a lock that ends before a read does · --strategy \"singleflight(lease=10s)\" · found lock(lease=10s), allowed more \
             than 500ms (a holder's margin) and 49s (a read) · leave lease out, or write lease=50s",
        ),
        (
            &["--strategy", "stack(max_age=20s)"],
            "a lease whose holder gives up before a read ends · --strategy \"stack(max_age=20s)\" · found lease(max_age=20s), \
             allowed more than 49s (a read) · leave max_age out, or write max_age=50s",
        ),
        (
            &["--set", "budgets.origin_read=20s"],
            "no read would end in time · --set budgets.origin_read=20s · found origin_read = 20s, allowed more than 49s",
        ),
        (
            &["--set", "budgets.replica=100s"],
            "budgets in the wrong order · --set budgets.replica=100s · found replica = 100s, allowed more than origin_read = \
             123s · raise replica, or lower origin_read",
        ),
        (
            &["--set", "load.warmup=0s", "--set", "warm.burst=all", "--set", "keys.n=1000000"],
            "a cache that takes too long to warm · [warm] · found 1000000 reads of 49s, 64 at once: 765625s, allowed 1h",
        ),
    ] {
        let (code, said, run) = simulate(&slow, flags);
        assert!(code == 2 && said.contains(words), "{flags:?}: {code} {said}");
        assert!(run.is_none(), "nothing was run");
    }
}

/// A quarter of the reads take longer than they are given: by a replica of either lab.
#[test]
fn they_travel_to_the_replicas_of_every_lab() {
    for lab in [&["--lab", "sim"][..], &["--lab", "local", "--cache", "memory"]] {
        let results = tempfile::tempdir().unwrap();
        let said = run(&[
            &["--scenario", "cold-start", "--strategy", "naive", "-d", "2s", "--quiet"][..],
            &["--set", "origin.service_time={ dist = \"uniform\", min = \"0s\", max = \"400ms\" }"],
            &["--set", "budgets.origin_read=300ms", "-o", results.path().to_str().unwrap()],
            lab,
        ]
        .concat());
        assert!(said.code.is_some_and(|code| code != 2), "{lab:?}: {}", said.err);
        let record = record(&only_run(results.path()));
        let late = record.strategies[0].error_kinds.get("http-504").copied().unwrap_or(0);
        assert!(late > 0, "{lab:?}: {:?}", record.strategies[0].error_kinds);
    }
}
