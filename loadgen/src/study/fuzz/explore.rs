//! Many seeds, on all cores.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use scenarios::Trouble;
use sim::fuzz::{Case, NamedCounts, RARE, play};
use sim::invariants::Violation;

use super::floors::{FLOORS, PER_SEEDS};
use super::grid::{FuzzGrid, Try};

/// Seeds that one thread plays. A thread's worlds leave a word each behind until it ends.
const CHUNK: u64 = 200;
/// Failures that are listed.
const LISTED: usize = 20;

/// A failure.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFailure {
    /// What was played.
    pub of: Try,
    /// What broke.
    pub violation: Violation,
}

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Explored {
    /// How many.
    pub seeds: u64,
    /// What failed, in the order of seeds.
    pub found: Vec<FoundFailure>,
    /// How often faults took effect and rare events happened.
    pub counts: NamedCounts,
    /// Facts that were checked.
    pub facts: u64,
}

/// Plays the seeds `from..from + seeds` on so many threads.
#[must_use]
pub fn explore(grid: &FuzzGrid, from: u64, seeds: u64, jobs: usize) -> Explored {
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Explored { seeds, ..Explored::default() }));
    let worker = || loop {
        let begin = next.fetch_add(CHUNK, Ordering::Relaxed);
        if begin >= seeds {
            return;
        }
        let chunk = from + begin..from + (begin + CHUNK).min(seeds);
        // A thread of its own, whose end gives back what its worlds left behind.
        std::thread::scope(|scope| {
            let played = scope.spawn(|| many(grid, chunk)).join();
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            match played {
                Ok(played) => {
                    sum.facts += played.facts;
                    sum.counts.merge(&played.counts);
                    sum.found.extend(played.found);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(worker);
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.found.sort_by_key(|found| found.of.seed);
    sum
}

fn many(grid: &FuzzGrid, seeds: std::ops::Range<u64>) -> Explored {
    let mut explored = Explored::default();
    for seed in seeds {
        let of = grid.of(seed);
        let played = play(&Case::draw(seed, of.profile), &of.subject, false);
        explored.facts += played.facts;
        explored.counts.merge(&played.counts);
        explored.found.extend(played.violation.map(|violation| FoundFailure { of, violation }));
    }
    explored
}

impl Explored {
    /// What happened less often than it should have in so many seeds over everything: name, count, floor.
    #[must_use]
    pub fn hardly(&self) -> Vec<(&'static str, u64, u64)> {
        let count = |name: &str| self.counts.of.get(name).copied().unwrap_or(0);
        let rows = FLOORS.iter().map(|(name, floor)| (*name, count(name), floor * self.seeds / PER_SEEDS));
        rows.filter(|(_, count, floor)| count < floor).collect()
    }

    pub(super) fn text(&self, grid: &FuzzGrid, took: Duration) -> String {
        let mut text = String::new();
        for FoundFailure { of, violation } in self.found.iter().take(LISTED) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{violation}\n  {}", of.command());
        }
        if self.found.len() > LISTED {
            let _ = writeln!(text, "and {} more", self.found.len() - LISTED);
        }
        let (specs, profiles, seconds) = (grid.subjects.len(), grid.profiles.len(), took.as_secs_f64());
        let rate = self.seeds as f64 / seconds.max(1e-9);
        let _ = writeln!(
            text,
            "{} seeds over {specs} strategies × {profiles} profiles: {} facts checked, {} failed, {seconds:.1} s ({rate:.0} seeds/s)",
            self.seeds,
            self.facts,
            self.found.len()
        );
        text + &table(&self.counts)
    }
}

/// The names that a counter has: of faults and of rare events.
#[must_use]
pub fn counted() -> Vec<&'static str> {
    Trouble::MADE.iter().map(|kind| kind.name()).chain(RARE).collect()
}

/// A line a name: how often.
#[must_use]
pub fn table(counts: &NamedCounts) -> String {
    let line = |name: &&str| format!("  {name:<18} {:>9}\n", counts.of.get(name).copied().unwrap_or(0));
    counted().iter().map(line).collect()
}
