//! The fuzzer itself: the saved seeds, canaries that must fail, and what is wrong on purpose is caught. `ci/fuzz.sh` plays
//! more of it, in a release build.

use crate::common::run;
use loadgen::study::fuzz::{Explored, FLOORS, FuzzGrid, PER_SEEDS, WRONG_COUNTERS, counted, explore, saved};
use sim::fuzz::{Case, FuzzSubject, PROFILES, Profile, play, shrink};
use strategies::spec::{BROKEN, PRESETS};

/// Seeds here; `ci/fuzz.sh` plays 20 000, and has floors.
const SEEDS: u64 = 480;
/// Compositions drawn at random here.
const RANDOM: u64 = 700;

fn grid(subjects: &[&str]) -> FuzzGrid {
    FuzzGrid {
        subjects: subjects.iter().map(|text| FuzzSubject::parse(text).unwrap()).collect(),
        profiles: PROFILES.to_vec(),
        random: false,
    }
}

fn presets() -> FuzzGrid {
    grid(&PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>())
}

fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn every_invariant_holds_under_every_preset_and_profile() {
    let explored = explore(&presets(), 0, SEEDS, jobs());
    let said: Vec<String> = explored.found.iter().map(|f| format!("{}\n  {}", f.violation, f.of.command())).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    assert!(explored.counts.of.len() > 30 && explored.facts > 100_000);
}

/// Of 691 compositions drawn from anywhere in their parameters' ranges, 148 were blamed for what they may do.
#[test]
fn every_invariant_holds_under_random_compositions() {
    let grid = FuzzGrid { random: true, ..grid(&["naive"]) };
    let explored = explore(&grid, 0, RANDOM, jobs());
    let said: Vec<String> = explored.found.iter().map(|f| format!("{}\n  {}", f.violation, f.of.command())).collect();
    assert!(said.is_empty(), "{} blamed\n{}", said.len(), said.join("\n"));
    let compositions: std::collections::BTreeSet<String> =
        (0..RANDOM).map(|seed| grid.of(seed).subject.canonical().to_owned()).collect();
    assert!(compositions.len() as u64 > RANDOM * 9 / 10, "{}", compositions.len());
}

#[test]
fn saved_seeds_do_not_fail_again() {
    let tries = saved(include_str!("../../fuzz-corpus.txt"), "fuzz-corpus.txt").unwrap();
    assert!(!tries.is_empty());
    for of in tries {
        let violation = play(&Case::draw(of.seed, of.profile), &of.subject, false).violation;
        assert_eq!(violation, None, "{}", of.command());
    }
}

/// Seeds that must fail, each by its invariant: where they do not, the fuzzer is blind.
#[test]
fn the_canaries_fail_and_get_smaller() {
    let tries = saved(include_str!("../../fuzz-canaries.txt"), "fuzz-canaries.txt").unwrap();
    assert_eq!(tries.len(), BROKEN.len() + WRONG_COUNTERS.len());
    for of in tries {
        let case = Case::draw(of.seed, of.profile);
        let violation = play(&case, &of.subject, false).violation.unwrap_or_else(|| panic!("{}", of.command()));
        let small = shrink(&case, &of.subject, violation.invariant);
        let size = |case: &Case| case.faults.len() + case.asks.len() + usize::from(case.replicas);
        assert!(size(&small) < size(&case), "{}", of.command());
        assert_eq!(play(&small, &of.subject, false).violation.unwrap().invariant, violation.invariant);
    }
}

#[test]
fn floors_are_for_what_is_counted_and_notice_what_never_happens() {
    let named: Vec<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, counted());
    assert!(FLOORS.iter().all(|(_, floor)| *floor > 0));
    let nothing = Explored { seeds: PER_SEEDS, ..Explored::default() };
    assert_eq!(nothing.hardly().len(), FLOORS.len());
    assert_eq!(nothing.hardly()[0], ("crash", 0, FLOORS[0].1));
}

#[test]
fn worlds_of_a_cluster_are_played_where_they_are_asked_for_and_have_both_of_its_faults() {
    let shards = Profile::named("shards").unwrap();
    assert!(!PROFILES.iter().any(|profile| profile.name == shards.name), "the others would be rarer for it");
    let drawn: Vec<_> = (0..50).flat_map(|seed| Case::draw(seed, shards).faults).map(|fault| fault.kind).collect();
    for kind in scenarios::Trouble::OF_SHARDS {
        assert!(drawn.iter().filter(|one| **one == kind).count() > 10, "{}", kind.name());
    }
}

#[test]
fn the_same_seed_is_the_same_log() {
    for (seed, name) in (0..24).zip(PRESETS.iter().cycle().map(|preset| preset.name)) {
        let (subject, case) = (FuzzSubject::parse(name).unwrap(), Case::draw(seed, Profile::named("mixed").unwrap()));
        let (one, other) = (play(&case, &subject, true), play(&case, &subject, true));
        assert_eq!((one.digest, one.facts), (other.digest, other.facts), "seed {seed} under {name}");
        assert!(one.facts > 10 && one.log.len() as u64 == one.facts);
    }
}

#[test]
fn a_seed_that_fails_is_played_again_made_smaller_and_shown() {
    let failed = run(&["fuzz", "--seed", "0", "--strategy", "broken-losers-load,swr", "--profile", "calm"]);
    assert_eq!(failed.code, Some(1));
    for words in [
        "I1 one reader: flight ",
        "made smaller, from 0 faults, ",
        "flight ",
        " begins (demand)",
        "gave up waiting for the lock",
    ] {
        assert!(failed.out.contains(words), "{words}: {}", failed.out);
    }
    assert!(
        failed.err.contains("an invariant did not hold · seed 0 · broken-losers-load under calm"),
        "{}",
        failed.err
    );
    let held = run(&["fuzz", "--seed", "0", "--strategy", "swr", "--profile", "all"]);
    assert_eq!((held.code, held.out.as_str()), (Some(0), "seed 0: every invariant held\n"), "{}", held.err);
    let log = run(&["fuzz", "--seed", "0", "--strategy", "swr", "--profile", "calm", "--log"]);
    assert!(log.code == Some(0) && log.out.contains("everything is over; 0 tasks go on"), "{}", log.err);
    let times = log.out.lines().filter_map(|line| line.split_once(" s · ")?.0.trim().parse::<f64>().ok());
    assert!(times.clone().count() > 100 && times.is_sorted(), "every fact when it happened: {}", log.out);
    let many = run(&["fuzz", "--seeds", "3", "--strategy", "broken-losers-load", "--profile", "calm"]);
    assert!(many.code == Some(1) && many.err.contains("replay: loadgen fuzz --seed 0 --strategy "), "{}", many.err);
    let caught = run(&["fuzz", "--seeds", "20", "--strategy", "broken-losers-load", "--must-fail"]);
    assert!(caught.code == Some(0) && caught.out.contains("(median of ["), "{}", caught.out);
    let right = run(&["fuzz", "--seeds", "3", "--strategy", "swr", "--must-fail"]);
    assert!(right.code == Some(1) && right.err.contains("not caught · swr"), "{}", right.err);
}

#[test]
fn a_corpus_that_is_none_is_refused() {
    for (text, words) in [
        ("7 calm", "found \"7 calm\""),
        ("x calm swr", "found"),
        ("7 stormy swr", "found"),
        ("# a note\n7 calm swrr", "fuzz.txt:2"),
    ] {
        let error = saved(text, "fuzz.txt").unwrap_err();
        assert!(error.exit.code() == 2 && error.text.contains(words), "{}", error.text);
    }
    assert_eq!(saved("\n# nothing\n", "fuzz.txt").unwrap(), Vec::new());
}
