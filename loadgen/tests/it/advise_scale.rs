//! What is said of a day that was simulated at a smaller scale is what the whole day does, within the tolerance that docs/advice.md gives.

use app::process::shutdown::Shutdown;
use clap::Parser as _;
use loadgen::cli::{AdviseArgs, Cli, Command};
use loadgen::study::advise::ask::Question;
use loadgen::study::advise::budget::Purse;
use loadgen::study::advise::candidates::Candidate;
use loadgen::study::advise::runner::SimRunner;
use loadgen::study::advise::simulated_day::SimulatedDay;
use loadgen::study::advise::trials::CandidateRuns;
use strategies::Spec;

fn args(question: &str) -> AdviseArgs {
    let line = ["loadgen", "advise", "--quiet", "--quick"].into_iter().chain(question.split(' '));
    let Some(Command::Advise(args)) = Cli::try_parse_from(line).unwrap().command else { panic!("not advise") };
    *args
}

fn figure(entry: &CandidateRuns, metric: &str) -> f64 {
    entry.point.figures[metric].unwrap_or_else(|| panic!("{metric} of {}", entry.point.name)).mean
}

/// Reads 5 % (where nobody shares them, three standard errors of their count at least), the highest second 20 % or 2, a p99 10 % or 1 ms, hits and operations 5 %; and as many fail: none.
fn agree(question: &str, seeds: u64, of: impl Fn(&SimulatedDay, &Question) -> bool) {
    let args = args(question);
    let ask = Question::of(&args).unwrap();
    let (_word, never) = Shutdown::pair();
    let runner = SimRunner::of(&args, seeds, never, Purse::new(1, true)).unwrap();
    let small = SimulatedDay::usual(&ask, ask.capacity);
    assert!(of(&small, &ask), "{question}: {:?}", small.scale);
    let whole = small.unscaled(&ask);
    assert!(whole.scale.is_whole() && whole.cost(&ask) > 2.0 * small.cost(&ask), "{question}");
    let candidate = |text: &&str| Candidate { family: (*text).into(), spec: Spec::parse(text).unwrap(), first: true };
    let all: Vec<Candidate> = STRATEGIES.iter().map(candidate).collect();
    let run = |world| runner.run(&ask, world, &all, seeds as usize, 1_000_000_000).unwrap();
    for (said, seen) in run(small).iter().zip(run(whole)) {
        let both = |metric: &str| (figure(said, metric), figure(&seen, metric));
        let named = |metric: &str| format!("{question}, {}, {metric}: {:?}", said.point.name, both(metric));
        let (said_s, seen_s) = (small.times(&ask).0.as_secs_f64(), whole.times(&ask).0.as_secs_f64());
        let (reads, seen_reads) = both("origin.total");
        let (reads, seen_reads) = (reads / said_s, seen_reads / seen_s);
        // Counted in both: of the smaller world as many as in the time that it was simulated for.
        let counted = |per_s: f64, s: f64| per_s * s * seeds as f64 * small.scale.ttl / small.scale.origin;
        let chance = 3.0 * (1.0 / counted(reads, said_s) + 1.0 / (seen_reads * seen_s * seeds as f64)).sqrt();
        let near_by = if said.point.name == "naive" { chance.max(0.05) } else { 0.05 };
        assert!((reads / seen_reads - 1.0).abs() < near_by, "{} {reads} {seen_reads}", named("origin.total"));
        let near = |metric: &str, share: f64, least: f64| {
            let (said, seen) = both(metric);
            assert!((said - seen).abs() <= (share * seen).max(least), "{}", named(metric));
        };
        near("origin.max_per_second", 0.2, 2.0);
        near("latency_ms.p99", 0.1, 1.0);
        near("hit_ratio", 0.05, 0.0);
        near("cache_ops_per_request", 0.05, 0.0);
        assert_eq!((both("errors"), both("outcomes.shed")), ((0.0, 0.0), (0.0, 0.0)));
    }
}

const STRATEGIES: [&str; 3] = ["naive", "singleflight", "swr(stale=1s)"];

#[test]
fn what_a_sample_of_zipf_keys_says_is_what_all_of_them_do() {
    let question =
        "--rate 3000/s --keys zipf:200000 --ttl 4s --service-time 100ms --origin-capacity 4000/s --max-stale 1s";
    agree(question, 1, |world, ask| world.scale.is_sampled() && world.scale.ttl_of(ask) == ask.ttl);
}

#[test]
fn what_a_sample_of_keys_that_are_alike_says_is_what_all_of_them_do() {
    let question =
        "--rate 3000/s --keys uniform:20000 --ttl 4s --service-time 100ms --origin-capacity 4000/s --max-stale 1s";
    agree(question, 1, |world, ask| world.scale.is_sampled() && world.scale.ttl_of(ask) == ask.ttl);
}

#[test]
fn what_a_shorter_ttl_says_is_what_the_whole_one_does() {
    let question = "--rate 40/s --keys hot:3:0.7 --ttl 6m --service-time 200ms --origin-capacity 50/s --max-stale 2s";
    agree(question, 6, |world, ask| !world.scale.is_sampled() && world.scale.ttl_of(ask) < ask.ttl);
}
