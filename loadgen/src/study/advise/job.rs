//! What is to be found out, and what is needed for it.

use app::process::shutdown::Shutdown;

use super::ask::Question;
use super::budget::{ALL, Purse};
use super::candidates::Candidates;
use super::record::Rows;
use super::runner::SimRunner;
use super::simulated_day::SimulatedDay;
use crate::cli::AdviseArgs;
use crate::shell::exit::Failure;

/// Seeds of each setting: of the whole grid, and of the reduced one.
const SEEDS: (u64, u64) = (3, 2);
/// Runs of an answer beside the settings once and again: the main knob, and the other days, which take longer.
const OTHER_RUNS: usize = 70;
/// Steps of the simulator for each unit of what a run should cost (measured).
const STEPS_PER_COST: f64 = 1.6;

pub(super) const fn seeds(world: SimulatedDay) -> u64 {
    if world.reduced { SEEDS.1 } else { SEEDS.0 }
}

/// What is to be found out.
pub(super) struct AdviceJob {
    pub(super) ask: Question,
    pub(super) usual: SimulatedDay,
    pub(super) candidates: Candidates,
    pub(super) runner: SimRunner,
}

impl AdviceJob {
    pub(super) fn of(
        args: &AdviseArgs,
        ask: Question,
        usual: SimulatedDay,
        candidates: Candidates,
        stop: Shutdown,
    ) -> Result<Self, Failure> {
        let runs = candidates.tried.len() * 2 + OTHER_RUNS;
        let expected = (usual.cost(&ask) * STEPS_PER_COST * runs as f64) as u64;
        let purse = Purse::new(expected.clamp(1, ALL), args.quiet);
        let runner = SimRunner::of(args, seeds(usual), stop, purse)?;
        Ok(Self { ask, usual, candidates, runner })
    }

    pub(super) fn rows<'a>(&self, world: SimulatedDay, file: &'a str) -> Rows<'a> {
        let measured_s = world.times(&self.ask).0.as_secs_f64();
        Rows { file, measured_s, replicas: self.ask.replicas, seed: self.ask.seed }
    }
}
