//! `loadgen fuzz --seed N`: one seed again, made as small as it gets where it fails, and its log in words.

use std::fmt::Write as _;

use sim::fuzz::{Case, Played, lines, play, shrink, story};

use super::grid::{FuzzGrid, Try};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// Lines of a failing key's story that are shown.
const SHOWN: usize = 300;

/// Plays one seed under each strategy and profile named. Of what fails the story of the failing key is shown; with `whole`
/// every fact of every log.
///
/// # Errors
/// [`Failure`] where an invariant did not hold.
pub(super) fn replay(grid: &FuzzGrid, seed: u64, whole: bool) -> Result<Exit, Failure> {
    let mut failed = Vec::new();
    for subject in &grid.subjects {
        for profile in &grid.profiles {
            let of = Try { seed, subject: subject.clone(), profile: *profile };
            let case = Case::draw(seed, *profile);
            let played = play(&case, subject, whole);
            let Some(violation) = played.violation else {
                if whole {
                    output::out(&format!(
                        "{}\nevery invariant held\n\n{case}\n{}\n",
                        of.command(),
                        log(&played, true)
                    ))?;
                }
                continue;
            };
            let small = shrink(&case, subject, violation.invariant);
            let again = play(&small, subject, true);
            let said = again.violation.as_ref().map(ToString::to_string).unwrap_or_default();
            let (command, before, after, log) = (of.command(), sizes(&case), sizes(&small), log(&again, whole));
            output::out(&format!(
                "{command}\n{violation}\n\nmade smaller, from {before} to {after}:\n{said}\n\n{small}\n{log}\n"
            ))?;
            failed.push(format!("{} under {}: {violation}", subject.name(), profile.name));
        }
    }
    match failed.first() {
        None => output::out(&format!("seed {seed}: every invariant held\n")).map(|()| Exit::Ok),
        Some(first) => Err(Failure::failed(format!("an invariant did not hold · seed {seed} · {first}"))),
    }
}

/// The log, a line a fact.
fn log(played: &Played, whole: bool) -> String {
    let all = match &played.violation {
        Some(violation) if !whole => lines(&story(&played.log, violation)),
        _ => sim::fuzz::whole(&played.log).iter().map(ToString::to_string).collect(),
    };
    let left_out = if whole { 0 } else { all.len().saturating_sub(SHOWN) };
    let mut text = String::new();
    if left_out > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{left_out} lines before these; --log shows every fact");
    }
    for line in &all[left_out..] {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn sizes(case: &Case) -> String {
    format!("{} faults, {} requests, {} replicas", case.faults.len(), case.asks.len(), case.replicas)
}
