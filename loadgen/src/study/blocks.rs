//! Randomised blocks: in each every strategy runs once, in an order that the seed decides.
//!
//! What drifts over an hour (a machine's temper, a neighbour's build) then falls on all strategies alike, and the two runs
//! of a block are a pair. Each block has a plan of its own, from the seeds after the first one's, so that what holds for
//! all of them is no accident of one sequence of requests.

use std::sync::Arc;

use report::record::Block;
use scenarios::Plan;
use strategies::rng::Rng;

use crate::cli::settings::{Settings, Subject};

/// A block that is about to run.
pub struct Turn {
    /// Which, from 1 on.
    pub number: u16,
    /// The run's settings, with this block's seed.
    pub settings: Settings,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// Its strategies in the order run, each with its folder for this block.
    pub subjects: Vec<Subject>,
}

impl Turn {
    /// The `number`th block of a run. Of a run without repeats the first block has the scenario's own order.
    #[must_use]
    pub fn of(settings: &Settings, number: u16) -> Self {
        let seed = settings.seed.wrapping_add(u64::from(number) - 1);
        let plan = Arc::new(Plan::new(seed, &settings.scenario, u32::from(settings.replicas)));
        let mut subjects = settings.subjects.clone();
        if settings.repeats > 1 {
            shuffle(&mut subjects, &Rng::new(settings.seed).fork(&format!("block/{number}")));
        }
        if number > 1 {
            subjects.iter_mut().for_each(|subject| subject.folder = format!("{}/r{number:02}", subject.folder));
        }
        Self { number, settings: Settings { seed, ..settings.clone() }, plan, subjects }
    }

    /// What the record says of it; nothing of a run without repeats.
    #[must_use]
    pub fn recorded(&self) -> Option<Block> {
        let order = self.subjects.iter().map(|subject| subject.name.clone()).collect();
        let block = Block { seed: self.settings.seed, plan_hash: self.plan.hash(), order };
        (self.settings.repeats > 1).then_some(block)
    }
}

/// Fisher and Yates' shuffle.
fn shuffle<T>(list: &mut [T], rng: &Rng) {
    for last in (1..list.len()).rev() {
        let at = (rng.next_unit() * (last + 1) as f64) as usize;
        list.swap(last, at.min(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_everything_and_every_order_comes() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let mut list = [0, 1, 2];
            shuffle(&mut list, &Rng::new(seed));
            *seen.entry(list).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|times| (850..1150).contains(times)), "{seen:?}");
    }
}
