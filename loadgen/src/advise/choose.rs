//! The rule: of what is as good as the best, the simplest.

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
    /// Chooses: of the settings that meet the goal and are as good as the best, the one with the fewest parts; of
    /// those a preset as it is before one with a knob turned; of those who reads the origin least, then the best. Where none meets the goal, the nearest miss.
    #[must_use]
    pub fn of(ranking: Vec<Tried>) -> Option<Self> {
        let reads = |tried: &Tried| tried.spread("origin.total").map_or(f64::INFINITY, |spread| spread.mean);
        let simple = |tried: &Tried| (parts(&tried.candidate().spec), !tried.candidate().first);
        let good = ranking.iter().enumerate().filter(|(_, tried)| tried.meets && tried.alike);
        let simplest = good.min_by(|(_, a), (_, b)| simple(a).cmp(&simple(b)).then(reads(a).total_cmp(&reads(b))));
        let chosen = simplest.map_or(0, |(at, _)| at);
        Self::with(ranking, chosen)
    }

    /// The same ranking with another one chosen. `None` where there is none.
    #[must_use]
    pub fn with(ranking: Vec<Tried>, chosen: usize) -> Option<Self> {
        let family = &ranking.get(chosen)?.candidate().family;
        // One that was run with as many seeds, if there is one.
        let runs = ranking[chosen].entry.fates.len();
        let other = |tried: &Tried| tried.candidate().family != *family;
        let full = ranking.iter().position(|tried| other(tried) && tried.entry.fates.len() >= runs);
        let runner_up = full.or_else(|| ranking.iter().position(other));
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::sweep::Point;
    use strategies::Spec;

    use super::super::candidates::Candidate;
    use super::super::trials::Entry;
    use super::*;

    /// (family, SPEC, whether it is the family's first, meets, alike)
    fn ranking(tried: &[(&'static str, &str, bool, bool, bool)]) -> Vec<Tried> {
        let tried = tried.iter().map(|(family, text, first, meets, alike)| Tried {
            entry: Entry {
                candidate: Candidate { family: (*family).into(), spec: Spec::parse(text).unwrap(), first: *first },
                point: Point {
                    strategy: (*family).into(),
                    name: (*text).into(),
                    spec: String::new(),
                    values: Vec::new(),
                    runs: 3,
                    valid: true,
                    invalid_because: Vec::new(),
                    figures: BTreeMap::new(),
                },
                fates: Vec::new(),
            },
            meets: *meets,
            alike: *alike,
            misses: Vec::new(),
        });
        tried.collect()
    }

    fn names(choice: &Choice) -> (&str, &str) {
        (choice.chosen().candidate().spec.name(), choice.runner_up().unwrap().candidate().spec.name())
    }

    #[test]
    fn of_what_is_as_good_the_simplest_and_a_preset_as_it_is_before_one_that_is_turned() {
        let choice = Choice::of(ranking(&[
            ("best", "best", true, true, true),
            ("xfetch", "xfetch(beta=4)", false, true, true),
            ("xfetch", "xfetch(beta=1)", true, true, true),
            ("naive", "naive", true, true, false),
            ("coalesce", "coalesce", true, false, true),
        ]));
        let choice = choice.unwrap();
        // Naive is not as good, coalesce misses the goal.
        assert_eq!(names(&choice), ("xfetch(beta=1)", "best"));
    }

    #[test]
    fn where_nothing_meets_the_goal_the_nearest_miss() {
        let choice =
            Choice::of(ranking(&[("best", "best", true, false, false), ("naive", "naive", true, false, false)]));
        assert_eq!(names(&choice.unwrap()), ("best", "naive"));
        assert!(Choice::of(Vec::new()).is_none());
    }
}
