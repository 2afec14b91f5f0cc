//! The rule: of what is not told apart from the best, the simplest.

use super::candidates::parts;
use super::trials::Tried;

/// Everything that was tried, ranked, and which of it is advised.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What meets the goal first, the best first.
    pub ranking: Vec<Tried>,
    /// The one that is advised.
    pub chosen: usize,
    /// The best of another family: what else there is.
    pub runner_up: Option<usize>,
}

impl Choice {
    /// Chooses: of the settings that meet the goal and are not told apart from the best, the one with the fewest parts; of
    /// those a preset as it is before one with a knob turned; of those the best. Where none meets the goal, the nearest miss.
    #[must_use]
    pub fn of(ranking: Vec<Tried>) -> Option<Self> {
        let simplest = |(at, tried): &(usize, &Tried)| (parts(&tried.candidate.spec), !tried.candidate.first, *at);
        let good = ranking.iter().enumerate().filter(|(_, tried)| tried.meets && tried.alike);
        let chosen = good.min_by_key(simplest).map_or(0, |(at, _)| at);
        let family = ranking.get(chosen)?.candidate.family;
        let runner_up = ranking.iter().position(|tried| tried.candidate.family != family);
        Some(Self { ranking, chosen, runner_up })
    }

    /// What is advised.
    #[must_use]
    pub fn chosen(&self) -> &Tried {
        &self.ranking[self.chosen]
    }

    /// What else there is.
    #[must_use]
    pub fn runner_up(&self) -> Option<&Tried> {
        self.ranking.get(self.runner_up?)
    }

    /// The best setting of every family, and of its own family the one that is advised, which comes first.
    #[must_use]
    pub fn families(&self) -> Vec<&Tried> {
        let mut rows = vec![self.chosen()];
        for tried in &self.ranking {
            if !rows.iter().any(|row| row.candidate.family == tried.candidate.family) {
                rows.push(tried);
            }
        }
        rows
    }
}
