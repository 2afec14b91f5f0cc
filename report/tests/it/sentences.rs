//! What is said about a run, word for word.

use report::record::{
    BehindCommit, Block, CounterFigures, FullestReplica, Latency, Outcomes, PerExpiry, Recovery, Run,
};
use report::{parse_run, summary_markdown, verdict_table};

fn fixture() -> Run {
    parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap()
}

#[test]
fn verdict_of_the_fixture() {
    insta::assert_snapshot!(verdict_table(&fixture()));
}

#[test]
fn summary_of_the_fixture() {
    insta::assert_snapshot!(summary_markdown(&fixture()));
}

/// All valid: what is within noise of the best shares the praise.
#[test]
fn verdict_where_two_are_equally_good() {
    let mut run = fixture();
    run.verdicts.clear();
    for strategy in &mut run.strategies {
        strategy.valid = true;
        strategy.invalid_because.clear();
    }
    insta::assert_snapshot!(verdict_table(&run));
}

#[test]
fn verdict_with_nothing_known_and_long_names() {
    let mut run = fixture();
    run.complete = false;
    run.strategies.truncate(2);
    run.strategies[0].name = "swr(soft=5s, hard=10s) + lock(lease=10s, poll=50ms) + jitter(20%)".into();
    for strategy in &mut run.strategies {
        strategy.valid = false;
        strategy.invalid_because.clear();
        let origin = strategy.origin.as_mut().unwrap();
        (origin.floor, origin.per_expiry) = (None, None);
        strategy.latency_ms = Default::default();
        strategy.outcomes = Outcomes::default();
        strategy.stale = Default::default();
    }
    insta::assert_snapshot!(verdict_table(&run));
}

/// Three reads of an expiry may be one of each replica, or three of one.
#[test]
fn the_replica_with_most_reads_of_an_expiry_is_told_where_there_are_herds() {
    const SAID: &str = "Of an expiry's reads the replica with most made: ";
    let with = |replicas: u32, mean: f64, fullest: Option<f64>| {
        let mut run = fixture();
        run.replicas = replicas;
        let origin = run.strategies[0].origin.as_mut().unwrap();
        let fullest_replica = fullest.map(|mean| FullestReplica { mean, max: mean.ceil() as u64 });
        origin.per_expiry = Some(PerExpiry { count: 12, mean, p50: mean, max: mean.ceil() as u64, fullest_replica });
        verdict_table(&run).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(with(3, 49.2, Some(18.7)).contains(&format!("{SAID}naive 18.7 of 49.2.")));
    assert!(with(3, 3.0, Some(3.0)).contains(&format!("{SAID}naive 3.0 of 3.0.")));
    assert!(with(1, 3.0, Some(1.0)).contains(&format!("{SAID}naive 1.0 of 3.0.")), "behind one address");
    for silent in [with(3, 3.0, None), with(3, 1.1, Some(1.0)), with(1, 3.0, Some(3.0))] {
        assert!(!silent.contains(SAID), "{silent}");
    }
}

/// A foreign target: nothing is said of the origin or the outcomes that nobody knows, least of all a nought.
#[test]
fn verdict_of_a_target_without_a_ledger() {
    let mut run = fixture();
    run.verdicts.clear();
    crate::support::target::forget_ledger(&mut run);
    insta::assert_snapshot!(verdict_table(&run));
    let summary = summary_markdown(&run);
    assert!(summary.contains("hotkey · foreign target · cache unknown · 1 address · no ledger of the origin · 60 s"));
    assert!(summary.contains("\n| naive | 23380 | – | – | – | – | 1.6 | 216 | – | – | 0.0% | yes |\n"), "{summary}");
}

/// A count of failures says nothing without how many were sent, and nothing can be done about it without a cause.
#[test]
fn what_failed_is_said_with_its_denominator_and_its_kinds() {
    let mut run = fixture();
    assert!(verdict_table(&run).contains("Failed: singleflight 3 of"), "{}", verdict_table(&run));
    let kinds = [("http-503", 50), ("timeout", 20), ("reset", 7), ("http-302", 2), ("body-cut", 1)];
    let strategy = &mut run.strategies[0];
    strategy.requests = 200;
    strategy.outcomes = Outcomes { hit: 100, error: 80, shed: 20, ..Outcomes::default() };
    strategy.errors = 80;
    strategy.error_kinds = kinds.map(|(kind, count)| (kind.to_owned(), count)).into();
    for said in [verdict_table(&run).replace("\n  ", " "), summary_markdown(&run)] {
        let wanted =
            "naive 100 of 200 requests (http-503 50, timeout 20, shed 20, reset 7, 2 kinds more); singleflight 3 of";
        assert!(said.contains(wanted), "{said}");
        let row = said.lines().find(|line| line.contains("naive") && line.contains("yes")).unwrap();
        assert!(row.contains("200") && row.contains("50.0%"), "{row}");
    }
    let folder = tempfile::tempdir().unwrap();
    report::RunFolder::at(folder.path()).write_run(&run).unwrap();
    let page = std::fs::read_to_string(report::render(folder.path()).unwrap().page().unwrap()).unwrap();
    assert!(page.contains("naive 100 of 200 requests (http-503 50"), "the page says so, too");
    run.strategies.iter_mut().for_each(|s| (s.outcomes.error, s.outcomes.shed) = (0, 0));
    assert!(!verdict_table(&run).contains("Failed:"), "nothing failed");
}

/// One strategy's ledger is missing: the others are compared without it.
#[test]
fn a_missing_ledger_is_named() {
    let mut run = fixture();
    run.strategies.push(run.strategies[2].clone());
    (run.strategies[3].name, run.strategies[3].origin) = ("nginx".into(), None);
    run.strategies[2].outcomes.unknown = run.strategies[2].outcomes.sum();
    let said = verdict_table(&run);
    assert!(said.contains("No ledger of nginx: what reached the origin is not known."), "{said}");
    assert!(said.contains("Lowest peak at the origin in any second: swr (6 reads); naive had 59 reads."), "{said}");
    assert!(said.contains("Answered without Cache-Status: 50.0% of swr; so how many"), "{said}");
    assert!(!said.contains("Few expiries"), "{said}");
}

/// In an open loop a p99 from the actual send that is another is said; in a closed one there is no such plan.
#[test]
fn the_wait_to_be_sent_is_said_of_an_open_loop() {
    let mut run = fixture();
    run.strategies[2].latency_ms.p99 = Some(1402.0);
    assert!(!verdict_table(&run).contains("actual send"));
    run.load = "open loop, 400 requests/s, Poisson arrivals".into();
    let said = verdict_table(&run).replace("\n  ", " ");
    let wanted = "Counted from the actual send (service p99): swr 4.2 ms instead of 1402 ms; the rest is a wait to be sent, \
                  which coordinated omission would hide.";
    assert!(said.contains(wanted), "{said}");
    run.strategies[2].service_ms.p99 = None;
    assert!(!verdict_table(&run).contains("actual send"), "unknown");
}

/// A strategy that turns requests away has a low peak, and the sentence says what it cost.
#[test]
fn the_price_of_a_low_peak_is_said() {
    let mut run = fixture();
    run.strategies.remove(1);
    let outcomes = &mut run.strategies[1].outcomes;
    (outcomes.shed, outcomes.hit) = (outcomes.hit / 2, outcomes.hit / 2);
    let said = verdict_table(&run).replace("\n  ", " ");
    assert!(said.contains("Not counted: swr (6 reads, with"), "{said}");
    assert!(said.contains("of its requests failed or shed"), "{said}");
    // Of who fails most of its requests nobody's p99 is measured against.
    let outcomes = &mut run.strategies[0].outcomes;
    (outcomes.shed, outcomes.hit) = (outcomes.hit / 2, outcomes.hit / 2);
    run.strategies[1].outcomes.shed = 0;
    let said = verdict_table(&run).replace("\n  ", " ");
    assert!(said.contains("Lowest p99: swr (4.2 ms); naive had 216 ms, with"), "{said}");
    // Nor where the other fails some, too, and far fewer.
    let outcomes = &mut run.strategies[1].outcomes;
    (outcomes.shed, outcomes.hit) = (outcomes.hit / 20, outcomes.hit - outcomes.hit / 20);
    run.strategies[1].latency_ms.p99 = Some(900.0);
    let said = verdict_table(&run).replace("\n  ", " ");
    assert!(
        said.contains("Lowest p99: swr (900 ms, with") && said.contains("Not counted: naive (216 ms, with"),
        "{said}"
    );
}

#[test]
fn an_invalid_strategy_is_never_the_best() {
    let mut run = fixture();
    run.strategies[2].valid = false;
    let said = verdict_table(&run);
    assert!(!said.contains("Lowest") && said.contains("INVALID: swr: no reason was recorded"), "{said}");
    assert!(!verdict_table(&Run { strategies: vec![], ..run }).is_empty());
}

#[test]
fn the_table_is_at_most_110_columns_wide() {
    let mut run = fixture();
    run.strategies[0].name = "n".repeat(300);
    run.strategies[0].origin.as_mut().unwrap().total = 123_456_789;
    run.strategies[0].latency_ms.p99 = Some(123_456.0);
    for line in verdict_table(&run).lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
    assert!(verdict_table(&fixture()).lines().take(5).all(|line| line.chars().count() <= 80));
}

/// Hostile names stay text in Markdown and start no line of their own in the table.
#[test]
fn hostile_names_stay_text() {
    let mut run = fixture();
    run.strategies[0].name = "<img src=x>|[x](y:1)\n# big".into();
    run.command = "loadgen ```\n<script>".into();
    let summary = summary_markdown(&run);
    assert!(!summary.contains("<img") && !summary.contains("\n# big") && summary.contains("\\|"), "{summary}");
    assert!(summary.contains("````sh\n"), "a fence longer than the backticks within");
    assert_eq!(
        verdict_table(&run).lines().position(str::is_empty),
        Some(2 + 3),
        "two lines of header, three strategies"
    );
}

#[test]
fn theory_stands_beside_what_was_measured_where_there_is_any() {
    let mut run = report::parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap();
    assert!(!report::verdict_table(&run).contains("theory"), "an older record has none");
    run.strategies[0].predicted = Some(report::record::Predicted {
        per_expiry: 49.1,
        cycle_s: None,
        hot_origin_total: None,
        wait_share: Some(0.024),
        stale_share: Some(0.0),
        formula: "1 + rd".into(),
    });
    let table = report::verdict_table(&run);
    let lines: Vec<&str> = table.lines().collect();
    let end = lines[1].find("theory").unwrap() + "theory".len();
    let cell =
        |line: &str| line.chars().take(end).collect::<String>().split_whitespace().next_back().map(str::to_owned);
    assert_eq!((cell(lines[2]).as_deref(), cell(lines[3]).as_deref()), (Some("49.1"), Some("–")));
    assert!(report::summary_markdown(&run).contains("| by theory |"));
}

#[test]
fn where_theory_says_nothing_it_is_said_why() {
    let mut run = report::parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap();
    let events = report::record::NotPredicted {
        premise: "no-events".into(),
        because: "the scenario's events disturb the cycle".into(),
        figures: ["per_expiry", "cycle_s"].map(String::from).to_vec(),
    };
    let cycle = report::record::NotPredicted { figures: vec!["cycle_s".into()], ..events.clone() };
    run.strategies[0].not_predicted = vec![events.clone()];
    run.strategies[1].not_predicted = vec![cycle];
    let name = run.strategies[0].name.clone();
    let table = report::verdict_table(&run).replace("\n  ", " ");
    assert!(table.contains(&format!("No theory of {name}: the scenario's events disturb the cycle.")), "{table}");
    assert_eq!(table.matches("No theory").count(), 1, "a herd that is known is predicted: {table}");
    run.strategies.iter_mut().for_each(|strategy| strategy.not_predicted = vec![events.clone()]);
    run.strategies.iter_mut().for_each(|strategy| strategy.predicted = None);
    let table = report::verdict_table(&run).replace("\n  ", " ");
    assert!(table.contains("No theory: the scenario's events disturb the cycle."), "{table}");
}

/// Of a run with events two rules stand beside each other where they say different things, and what each is under them.
#[test]
fn two_rules_of_being_well_again() {
    let mut run = fixture();
    let with = |after_s, recovered, recovered_after_s| {
        Some(Recovery { troubled_s: 45, after_s, recovered, recovered_after_s })
    };
    run.strategies[0].recovery = with(None, Some(false), None);
    run.strategies[1].recovery = with(Some(74.103), Some(true), Some(35.0));
    run.strategies[2].recovery = with(Some(0.0), None, None);
    run.strategies[1].name = "plain + lock + limit(concurrency=2)".into();
    insta::assert_snapshot!(verdict_table(&run));
    assert!(verdict_table(&run).lines().all(|line| line.chars().count() <= 110));
    assert!(summary_markdown(&run).contains("\n\nIn trouble: seconds in which a request failed"));
    // Within the second that both are known to, one column says it.
    run.strategies[0].recovery = with(Some(0.9), Some(true), Some(0.0));
    run.strategies[1].recovery = with(Some(0.0), Some(true), Some(0.0));
    let said = verdict_table(&run);
    assert!(!said.contains("recovered") && said.contains("until none did any more."), "{said}");
}

/// Of runs that were repeated it is said how many did not recover.
#[test]
fn one_run_of_three_that_did_not_recover_is_counted() {
    let mut run = fixture();
    run.blocks = vec![Block { seed: 1, plan_hash: String::new(), order: vec![] }; 3];
    let ended = |recovered, recovered_after_s| {
        Some(Recovery { troubled_s: 9, after_s: None, recovered: Some(recovered), recovered_after_s })
    };
    for strategy in &mut run.strategies {
        strategy.recovery = ended(true, Some(14.0));
        strategy.repeats = vec![strategy.clone(), strategy.clone()];
    }
    run.strategies[0].repeats[1].recovery = ended(false, None);
    let said = verdict_table(&run).replace("\n  ", " ");
    assert!(said.contains("DID NOT RECOVER: naive (in 1 of 3 runs)."), "{said}");
    let typical = run.strategies[0].typical().recovery.unwrap();
    assert_eq!((typical.recovered, typical.recovered_after_s), (Some(false), None), "never is not 0 s");
    assert!(said.contains("NEVER: in one run at least") && said.contains("Recovered: singleflight 14 s"), "{said}");
}

/// The example in the README is what is printed of the run that it names.
#[test]
fn the_readme_s_table_is_its_reference_run_s() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = parse_run(&std::fs::read(root.join("results/reference/hotkey/run.json")).unwrap()).unwrap();
    let said = verdict_table(&run);
    let table = said.split("\n\n").next().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&format!("```\n{table}\n```")), "{table}");
}

/// Ten blocks, in each of which one strategy's peak is a little lower than the other's: one run's rule of thumb says nothing of
/// that, and the blocks do.
#[test]
fn of_repeats_the_blocks_speak_and_one_runs_rule_does_not() {
    let mut run = fixture();
    run.strategies.remove(1);
    run.blocks = vec![Block { seed: 1, plan_hash: String::new(), order: vec![] }; 10];
    let with_peak = |of: &report::record::Strategy, peak: u64| {
        let mut one = of.clone();
        one.origin.as_mut().unwrap().max_per_second = peak;
        one
    };
    for (at, peak) in [60, 56].into_iter().enumerate() {
        let runs: Vec<_> = (0..10).map(|block| with_peak(&run.strategies[at], peak + block % 3)).collect();
        let [first, repeats @ ..] = &runs[..] else { unreachable!() };
        run.strategies[at] = report::record::Strategy { repeats: repeats.to_vec(), ..first.clone() };
    }
    run.comparisons = report::compare::within(&run, &report::compare::Noise::default());
    let said = verdict_table(&run).replace("\n  ", " ");
    for words in ["Lowest", "clearly lower", "not distinguishable", "noise."] {
        assert!(!said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("Medians of 10 runs of each; what they tell apart is said below."), "{said}");
    let table = report::compare::comparison_table(&run.comparisons);
    assert!(table.lines().any(|line| line.contains("most reads a second") && line.contains("better")), "{table}");
    run.comparisons.clear();
    assert!(verdict_table(&run).contains("Medians of 10 runs of each.\n"), "nothing is said below");
}

/// Who reads the origin less often only because its entries live longer is not called better.
#[test]
fn a_longer_life_is_told_where_it_is_all_there_is() {
    let mut run = fixture();
    run.strategies.remove(1);
    let with = |of: &report::record::Strategy, total: u64, life_s: f64| {
        let mut one = report::record::Strategy { life_s: Some(life_s), ..of.clone() };
        one.origin.as_mut().unwrap().total = total;
        one
    };
    let mut compared = |total: u64, life_s: f64| {
        for (at, (total, life_s)) in [(1000, 5.0), (total, life_s)].into_iter().enumerate() {
            let runs: Vec<_> = (0..10).map(|block| with(&run.strategies[at], total + block % 3, life_s)).collect();
            let [first, repeats @ ..] = &runs[..] else { unreachable!() };
            run.strategies[at] = report::record::Strategy { repeats: repeats.to_vec(), ..first.clone() };
        }
        run.comparisons = report::compare::within(&run, &report::compare::Noise::default());
        report::compare::comparison_table(&run.comparisons)
    };
    let called = |table: &str, verdict: &str| {
        table.lines().any(|line| line.contains("  origin reads  ") && line.ends_with(verdict))
    };
    let longer = compared(800, 6.25);
    assert!(called(&longer, "  fewer by longer life"), "{longer}");
    let wanted = "are fresh 1.25× as long as under naive, which alone changes how often the origin is read. For each life \
                  of an entry its origin reads are 1.00× (1.00× … 1.00×).";
    assert!(longer.contains(wanted), "{longer}");
    let more = compared(400, 6.25);
    assert!(called(&more, "  better") && more.contains("origin reads are 0.50×"), "{more}");
    let equal = compared(800, 5.0);
    assert!(called(&equal, "  better") && !equal.contains("fresh"), "{equal}");

    let mut run = fixture();
    run.strategies[1].life_s = Some(run.ttl_s * 1.05);
    let said = verdict_table(&run).replace("\n  ", " ");
    assert!(said.contains("Entries live longer than the TTL under singleflight (1.05 TTLs): fewer origin reads there may be that alone."), "{said}");
}

/// Of so few requests that fewer than ten lie beyond it, nobody's p99 is called the lowest.
#[test]
fn a_p99_that_rests_on_a_few_requests_is_not_compared() {
    let mut run = fixture();
    assert!(verdict_table(&run).contains("p99"));
    run.strategies.iter_mut().for_each(|strategy| strategy.requests = 999);
    let said = verdict_table(&run);
    assert!(!said.contains("Lowest p99") && !said.contains("lower p99"), "{said}");
}

/// What the ledgers found wrong comes before any praise, and a counter that lost counts has none.
#[test]
fn what_counted_wrong_is_named_and_not_praised() {
    let mut run = fixture();
    run.verdicts.clear();
    run.strategies.truncate(3);
    let found = [(20, Some(84), Some(82)), (1, Some(0), Some(0)), (0, None, Some(5))];
    for (at, (strategy, (immortal, lost, above_limit))) in run.strategies.iter_mut().zip(found).enumerate() {
        (strategy.valid, strategy.name, strategy.latency_ms.p99) =
            (true, format!("counter-{at}"), Some(5.0 + 10.0 * at as f64));
        let counters = CounterFigures { immortal_max: Some(immortal), lost, above_limit, ..CounterFigures::default() };
        strategy.counters = Some(counters);
    }
    let said = verdict_table(&run).replace("\n  ", " ");
    let wrong = "COUNTED WRONG, in the whole run with its warm-up: counter-0 (20 keys without an end, 84 counts lost, 82 let through above \
                 the limit), counter-1 (1 key without an end).";
    assert!(said.contains(wrong), "{said}");
    assert!(!said.contains("p99 than counter-0") && !said.contains("p99: counter-0"), "{said}");
    for strategy in &mut run.strategies {
        strategy.counters = Some(CounterFigures { lost: None, above_limit: Some(5), ..CounterFigures::default() });
    }
    assert!(!verdict_table(&run).contains("COUNTED WRONG"), "an estimate that lets more through has lost nothing");
}

#[test]
fn how_far_answers_were_behind_commits_is_said_of_the_least_first() {
    let mut run = fixture();
    run.verdicts.clear();
    run.strategies.truncate(2);
    let found = [(0.259, Some(2500.0), 2094.2), (0.0003, None, 3.84)];
    for (strategy, (share, max, wrong)) in run.strategies.iter_mut().zip(found) {
        strategy.valid = true;
        let age_ms = Latency { max, ..Latency::default() };
        strategy.behind =
            Some(BehindCommit { share: Some(share), age_ms, wrong_ms_max: Some(wrong), ..BehindCommit::default() });
    }
    let names: Vec<String> = run.strategies.iter().map(|strategy| strategy.name.clone()).collect();
    let said = verdict_table(&run).replace("\n  ", " ");
    let behind = format!(
        "Behind a commit: {} (<0.1%; all answers for a key for 3.8 ms at most), {} (25.9%, by 2500 ms at most; all answers for a key for \
         2094 ms at most).",
        names[1], names[0]
    );
    assert!(said.contains(&behind), "{said}");
    run.strategies.iter_mut().for_each(|strategy| strategy.valid = false);
    assert!(!verdict_table(&run).contains("Behind a commit"), "figures that are not valid carry nothing");
}
