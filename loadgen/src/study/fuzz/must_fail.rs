//! Strategies that are wrong on purpose have to be caught, and soon: how many seeds that takes, five times over.

use std::fmt::Write as _;

use sim::fuzz::{Case, play};

use super::grid::FuzzGrid;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// How often a strategy has to be caught, each time on seeds of its own.
const ROUNDS: u64 = 5;

/// After how many seeds each of five rounds of `seeds` caught the grid's strategies, in order; `None` where one did not.
#[must_use]
pub fn firsts(grid: &FuzzGrid, from: u64, seeds: u64) -> Option<Vec<u64>> {
    let round = |round: u64| {
        let begin = from + round * seeds;
        let fails = |seed: &u64| {
            let of = grid.of(*seed);
            play(&Case::draw(*seed, of.profile), &of.subject, false).violation.is_some()
        };
        (begin..begin + seeds).find(fails).map(|seed| seed - begin + 1)
    };
    let mut firsts = (0..ROUNDS).map(round).collect::<Option<Vec<_>>>()?;
    firsts.sort_unstable();
    Some(firsts)
}

pub(super) fn run(grid: &FuzzGrid, from: u64, seeds: u64) -> Result<Exit, Failure> {
    let (mut text, mut missed) = (String::new(), Vec::new());
    for subject in &grid.subjects {
        let name = subject.name();
        let grid = FuzzGrid { subjects: vec![subject.clone()], profiles: grid.profiles.clone(), random: false };
        // Writing to a String cannot fail.
        let _ = match firsts(&grid, from, seeds) {
            Some(firsts) => {
                writeln!(text, "{name:<24} caught after {} seeds (median of {firsts:?})", firsts[firsts.len() / 2])
            }
            None => {
                missed.push(name.to_owned());
                writeln!(text, "{name:<24} not caught in each of {ROUNDS} rounds of {seeds} seeds")
            }
        };
    }
    output::out(&text)?;
    if missed.is_empty() {
        return Ok(Exit::Ok);
    }
    Err(Failure::failed(format!("what is wrong was not caught · {} · the fuzzer is blind there", missed.join(", "))))
}
