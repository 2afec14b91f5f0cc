//! The days that are not usual: what was run on them, and what that says of the advice.

use super::back::{Back, COMES_BACK, back, much_less, severity};
use super::candidates::{Candidate, guarded};
use super::choose::Choice;
use super::job::AdviceJob;
use super::limits::in_words;
use super::numbers::tidy;
use super::record::{DayVerdict, Limit};
use super::simulated_day::{DayChange, SimulatedDay};
use super::trials::{CandidateRuns, Tried, ranked};
use crate::shell::exit::Failure;

/// How many of the others are run with all seeds.
const FINALISTS: usize = 3;
/// Of a day's part of the budget: for what was chosen and what else there is, for the others once, and for the best of those.
const BOTH: f64 = 0.5;
const OTHERS: f64 = 0.5;
const BEST: f64 = 0.8;
/// Part of what is left of the budget: for whether one setting comes back.
const COMING_BACK: f64 = 0.3;

/// The days that are not usual, and what was run on them.
pub(super) struct Days<'a> {
    job: &'a AdviceJob,
    usual: SimulatedDay,
    run: Vec<(DayChange, CandidateRuns)>,
}

impl<'a> Days<'a> {
    /// The days beside a usual one; nothing was run yet.
    pub(super) fn of(job: &'a AdviceJob, usual: SimulatedDay) -> Self {
        Self { job, usual, run: Vec::new() }
    }

    /// The runs of these strategies on such a day, with so many seeds; what was run already is not run again.
    fn entries(
        &mut self,
        change: DayChange,
        all: &[Candidate],
        seeds: usize,
        part: f64,
    ) -> Result<Vec<CandidateRuns>, Failure> {
        let same = |one: &Candidate, two: &Candidate| one.spec.canonical() == two.spec.canonical();
        let enough = |entry: &CandidateRuns| entry.seeds >= seeds || entry.unknown.is_some();
        let has = |run: &[(DayChange, CandidateRuns)], candidate: &Candidate| {
            run.iter().position(|(on, entry)| *on == change && same(&entry.candidate, candidate) && enough(entry))
        };
        let fresh: Vec<Candidate> = all.iter().filter(|c| has(&self.run, c).is_none()).cloned().collect();
        if !fresh.is_empty() {
            let fresh = self.job.run(self.usual.with(change), &fresh, seeds, part)?;
            self.run.extend(fresh.into_iter().map(|entry| (change, entry)));
        }
        Ok(all.iter().filter_map(|c| has(&self.run, c)).map(|at| self.run[at].1.clone()).collect())
    }

    /// Whether a strategy comes back by itself when the cache was emptied, and when it was lost; the losses are added up.
    pub(super) fn comes_back(&mut self, candidate: &Candidate) -> Result<Back, Failure> {
        let (mut all, mut unknown) = (0.0, false);
        for change in COMES_BACK {
            let seeds = self.job.runner.seeds().len();
            for entry in self.entries(change, std::slice::from_ref(candidate), seeds, COMING_BACK)? {
                match back(change, &entry) {
                    Back::Yes { lost } => all += lost,
                    Back::No => return Ok(Back::No),
                    Back::Unknown => unknown = true,
                }
            }
        }
        Ok(if unknown { Back::Unknown } else { Back::Yes { lost: all } })
    }

    /// What was chosen and what else there is, on every such day; each has its part of what is left of the budget.
    pub(super) fn limits(&mut self, choice: &Choice) -> Result<Vec<Limit>, Failure> {
        self.job.runner.purse.keep_nothing();
        let days = DayChange::days(&self.job.ask);
        let n = days.len();
        days.into_iter().enumerate().map(|(at, change)| self.limit(change, choice, 1.0 / (n - at) as f64)).collect()
    }

    /// The same on one such day; nothing is simulated where no strategy can do it.
    fn limit(&mut self, change: DayChange, choice: &Choice, part: f64) -> Result<Limit, Failure> {
        let job = self.job;
        let world = self.usual.with(change);
        let (name, what) = (change.name().to_owned(), world.in_words());
        let floor = world.least(&job.ask);
        if floor > world.capacity {
            let (needed, does) = (tidy(floor), tidy(world.capacity));
            let words =
                format!("no strategy can: a perfect cache needs {needed} reads/s, and the origin then does {does}");
            return Ok(Limit { name, what, verdict: DayVerdict::NoStrategyCan, words, chosen: None, runner_up: None });
        }
        let mut all: Vec<Candidate> =
            [choice.chosen()].into_iter().chain(choice.runner_up()).map(|t| t.candidate().clone()).collect();
        let entries = self.entries(change, &all, job.runner.seeds().len(), part * BOTH)?;
        let mut tried = ranked(&job.goal(world)?, &entries, 1);
        if !tried.iter().any(|tried| tried.meets) {
            all = self.others(choice, &all);
            tried = self.rescued(change, tried, &all, part)?;
        }
        let canonical = choice.chosen().candidate().spec.canonical();
        let at = tried.iter().position(|tried| tried.candidate().spec.canonical() == canonical);
        let chosen = tried.remove(at.ok_or_else(|| Failure::failed("a setting was lost: a bug"))?);
        let other = tried.into_iter().min_by(|a, b| severity(change, a).total_cmp(&severity(change, b)));
        let verdict = verdict(change, &chosen, other.as_ref());
        let file = format!("{}.toml", change.name());
        let rows = job.rows(world, &file);
        let words = in_words(world, verdict, &rows, &chosen, other.as_ref());
        let (chosen, runner_up) = (Some(rows.setting(&chosen)), other.map(|other| rows.setting(&other)));
        Ok(Limit { name, what, verdict, words, chosen, runner_up })
    }

    /// Where the best two miss the goal: the chosen one behind a limit or a breaker, and the other presets that passed on the usual
    /// day, each at its best.
    fn others(&self, choice: &Choice, both: &[Candidate]) -> Vec<Candidate> {
        let mut families: Vec<&str> = both.iter().map(|candidate| candidate.family.as_str()).collect();
        let mut others = guarded(&self.job.ask, self.usual.capacity, choice.chosen().candidate());
        others.retain(|_| !self.usual.scale.is_sampled());
        for candidate in choice.ranking.iter().filter(|tried| tried.meets).map(Tried::candidate) {
            if !families.contains(&candidate.family.as_str()) {
                families.push(&candidate.family);
                others.push(candidate.clone());
            }
        }
        others
    }

    /// The best of them joins, if it does better than those that were tried.
    fn rescued(
        &mut self,
        change: DayChange,
        tried: Vec<Tried>,
        others: &[Candidate],
        part: f64,
    ) -> Result<Vec<Tried>, Failure> {
        let goal = self.job.goal(self.usual.with(change))?;
        let mut once = ranked(&goal, &self.entries(change, others, 1, part * OTHERS)?, 1);
        once.retain(Tried::is_known);
        once.sort_by(|a, b| severity(change, a).total_cmp(&severity(change, b)));
        // One seed shows what may do; all of them what does.
        let few: Vec<Candidate> = once.iter().take(FINALISTS).map(|tried| tried.candidate().clone()).collect();
        let seeds = self.job.runner.seeds().len();
        let few = ranked(&goal, &self.entries(change, &few, seeds, part * BEST)?, 1);
        let best = few.iter().min_by(|a, b| severity(change, a).total_cmp(&severity(change, b)));
        let Some(best) = best.filter(|best| tried.iter().all(|t| severity(change, best) < severity(change, t))) else {
            return Ok(tried);
        };
        let best = [best.entry.clone()];
        let entries: Vec<CandidateRuns> = tried.into_iter().map(|tried| tried.entry).chain(best).collect();
        Ok(ranked(&goal, &entries, 1))
    }
}

fn verdict(change: DayChange, chosen: &Tried, other: Option<&Tried>) -> DayVerdict {
    let came = |tried: &Tried| back(change, &tried.entry);
    let better = |other: &Tried| {
        let (one, two) = (severity(change, chosen), severity(change, other));
        other.meets || came(other) != Back::No && came(chosen) == Back::No || much_less(two, one)
    };
    match (chosen.meets, other) {
        (true, Some(other)) if other.meets && !chosen.alike => DayVerdict::RunnerUpBetter,
        (true, _) => DayVerdict::Holds,
        (false, _) if came(chosen) == Back::Unknown => DayVerdict::NotKnown,
        (false, Some(other)) if other.is_known() && better(other) => DayVerdict::Switch,
        (false, _) => DayVerdict::Neither,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::sweep::Point;
    use strategies::Spec;

    use super::super::limits::came_of_unknown;
    use super::super::trials::Unknown;
    use super::*;
    use crate::study::advise::trials::Fate;

    fn tried(fate: Fate, unknown: Option<Unknown>) -> Tried {
        let spec = Spec::parse("xfetch").unwrap();
        let point = Point {
            strategy: "xfetch".into(),
            name: "xfetch".into(),
            spec: String::new(),
            values: Vec::new(),
            runs: 1,
            valid: true,
            invalid_because: Vec::new(),
            figures: BTreeMap::new(),
        };
        let candidate = Candidate { family: "xfetch".into(), spec, first: true };
        let entry = CandidateRuns { candidate, point, seeds: 1, unknown, fates: vec![fate] };
        Tried { entry, meets: false, alike: false, misses: Vec::new() }
    }

    fn fate(recovered: Option<bool>, cut_after_s: Option<f64>) -> Fate {
        Fate { seed: 42, requests: 1000, errors: 0, shed: 360, recovered, recovered_after_s: None, cut_after_s }
    }

    /// Of 300 replicas that lost their cache a run was cut, and of its requests that were under way it was told that "36 % had failed". Run to
    /// its end, the same recovers after 21 s.
    #[test]
    fn a_run_that_was_cut_is_no_verdict() {
        let cut = tried(fate(None, Some(51.0)), Some(Unknown::Cut { after_s: 51.0, steps: 4_000_000 }));
        assert_eq!(back(DayChange::LostCache, &cut.entry), Back::Unknown);
        assert_eq!(verdict(DayChange::LostCache, &cut, None), DayVerdict::NotKnown);
        let words = came_of_unknown(&cut).unwrap();
        assert_eq!(words, "not known: too costly to simulate (cut 51 s in, after 4.0 million steps)");
        for change in [DayChange::Load, DayChange::Service, DayChange::Crash] {
            assert_eq!(verdict(change, &cut, None), DayVerdict::NotKnown, "{change:?}");
        }
    }

    #[test]
    fn where_nobody_can_say_whether_it_recovered_nobody_does() {
        let unsaid = tried(fate(None, None), None);
        assert_eq!(back(DayChange::Cold, &unsaid.entry), Back::Unknown);
        assert_eq!(verdict(DayChange::Cold, &unsaid, None), DayVerdict::NotKnown);
        let gone = tried(fate(Some(false), None), None);
        assert_eq!(
            (back(DayChange::Cold, &gone.entry), verdict(DayChange::Cold, &gone, None)),
            (Back::No, DayVerdict::Neither)
        );
        let came = tried(fate(Some(true), None), None);
        assert_eq!(back(DayChange::Cold, &came.entry), Back::Yes { lost: 0.36 });
        // Worse is known of that which does not come back than of what is not known, and better of what does.
        assert!(severity(DayChange::Cold, &came) < severity(DayChange::Cold, &unsaid));
        assert!(severity(DayChange::Cold, &unsaid) < severity(DayChange::Cold, &gone));
    }
}
