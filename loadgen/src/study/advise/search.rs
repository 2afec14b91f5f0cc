//! From the candidates to the one that is advised.

use super::ask::ttl_for;
use super::back::{Back, much_less};
use super::budget::ALL;
use super::candidates::{Candidate, Candidates, guarded, neighbours, parts};
use super::choose::{Choice, preference};
use super::days::Days;
use super::job::AdviceJob;
use super::numbers::thousandths;
use super::peak::PEAK_DEVIATIONS;
use super::record::LongerTtl;
use super::simulated_day::SimulatedDay;
use super::trials::{CandidateRuns, Tried, near, ranked};
use crate::shell::exit::Failure;
use crate::study::sweep::goal::Goal;

/// More than any origin needs.
const AMPLE: f64 = 1e6;
/// A capacity that was another origin's peak may be a little short once reads wait for each other.
const ROOM: [f64; 2] = [1.1, 1.5];
/// How often another one may turn out to be the simplest when the knob of the last one was turned.
const TURNS: usize = 3;
/// Settings that are tried behind a limit and a breaker where the chosen one does not come back: itself, and the best.
const GUARDED: usize = 3;
/// Settings that are tried in the place of one that does not come back from a lost cache.
const STAND_INS: usize = 8;
/// Parts of what is left of the budget: for everything with one seed, for the best with all of them, and for the main knob.
const ONCE: f64 = 0.3;
const AGAIN: f64 = 0.3;
const TURNED: f64 = 0.15;
/// No other setting is looked for once less of the budget than this part is left.
const LOOK_ON: f64 = 0.4;

/// Everything that was run in one world.
pub(super) struct WorldRuns {
    pub(super) world: SimulatedDay,
    goal: Goal,
    entries: Vec<CandidateRuns>,
    seeds: usize,
}

impl WorldRuns {
    /// Ranked: what meets the goal first, the best first.
    pub(super) fn ranking(&self) -> Vec<Tried> {
        ranked(&self.goal, &self.entries, self.seeds)
    }

    /// Adds runs; of a strategy that is there already the one with more seeds stays.
    fn add(&mut self, entries: Vec<CandidateRuns>) {
        for entry in entries {
            let same =
                |known: &&mut CandidateRuns| known.candidate.spec.canonical() == entry.candidate.spec.canonical();
            match self.entries.iter_mut().find(same) {
                Some(known) if known.unknown.is_none() && known.fates.len() >= entry.fates.len() => {}
                Some(known) => *known = entry,
                None => self.entries.push(entry),
            }
        }
    }

    /// Whether it was run with all seeds, or can't be.
    fn has(&self, candidate: &Candidate) -> bool {
        let is = |entry: &CandidateRuns| entry.candidate.spec.canonical() == candidate.spec.canonical();
        self.entries.iter().any(|entry| is(entry) && (entry.seeds >= self.seeds || entry.unknown.is_some()))
    }

    fn choice(&self) -> Result<Choice, Failure> {
        Choice::of(self.goal.metric, self.ranking()).ok_or_else(|| Failure::failed("nothing was simulated: a bug"))
    }
}

/// What came of the candidates.
pub(super) struct SearchResult {
    /// What was run where they were tried at last.
    pub(super) pool: WorldRuns,
    /// Whether that is the world that was asked about, and something meets the goal there.
    pub(super) enough: bool,
    /// Where it is another one: the nearest miss in the one that was asked about, if anything was tried there.
    pub(super) as_it_is: Option<Tried>,
}

/// What is chosen in the end.
pub(super) struct ComesBack {
    pub(super) choice: Choice,
    /// Whether it comes back by itself when the cache was emptied or lost; `None` where that is not known, or it misses the goal anyway.
    pub(super) comes_back: Option<bool>,
    /// Why it is not the simplest of what is as good as the best.
    pub(super) instead: Option<String>,
}

impl AdviceJob {
    /// Everything in the world that was asked about; and where nothing can do there, in one whose origin can just do it.
    pub(super) fn tried(&self) -> Result<SearchResult, Failure> {
        let mut given = None;
        if self.ask.least <= self.ask.capacity {
            let pool = self.race(self.usual)?;
            if pool.ranking().iter().any(|tried| tried.meets) {
                return Ok(SearchResult { pool, enough: true, as_it_is: None });
            }
            given = Some(pool);
        }
        // One seed of one setting a preset shows about how much would do.
        let ample = self.usual.of_capacity(AMPLE);
        let firsts = self.candidates(ample)?.into_iter().filter(|candidate| candidate.first).collect::<Vec<_>>();
        let entries = self.run(ample, &firsts, 1, ONCE / 2.0)?;
        let peaks = ranked(&self.goal(ample)?, &entries, 1);
        let peaks = peaks.iter().filter(|tried| tried.meets).filter_map(|tried| tried.spread("origin.max_per_second"));
        if let Some(least) = peaks.map(|peak| peak.max).min_by(f64::total_cmp) {
            for room in ROOM {
                let world = self.usual.of_capacity((least * room).ceil());
                let pool = self.race(world)?;
                if pool.ranking().iter().any(|tried| tried.meets) {
                    let as_it_is = given.and_then(|given| given.ranking().into_iter().next());
                    return Ok(SearchResult { pool, enough: false, as_it_is });
                }
            }
        }
        let pool = given.map_or_else(|| self.race(self.usual), Ok)?;
        Ok(SearchResult { pool, enough: false, as_it_is: None })
    }

    /// What is tried with an origin of this capacity.
    fn candidates(&self, world: SimulatedDay) -> Result<Vec<Candidate>, Failure> {
        Ok(Candidates::of(&self.ask, world.capacity, world.reduced, world.scale.is_sampled())?.tried)
    }

    /// Everything with one seed, and of every preset that passed its first setting, and its best where that is better, with all seeds. A
    /// condition that is missed with one seed is missed, so more of them would tell nothing of the others.
    fn race(&self, world: SimulatedDay) -> Result<WorldRuns, Failure> {
        let entries = self.run(world, &self.candidates(world)?, 1, ONCE)?;
        let goal = self.goal(world)?;
        let once = ranked(&goal, &entries, 1);
        let same = |one: &Tried, two: &Tried| one.candidate().family == two.candidate().family;
        let mean = |tried: &Tried| tried.spread(goal.metric);
        let as_good = |one: &Tried, two: &Tried| mean(one).zip(mean(two)).is_some_and(|(o, t)| near(goal.metric, o, t));
        // A variant that is better than its preset by no more than noise is better by luck.
        let best = |at: usize, tried: &Tried| {
            let first = once.iter().find(|first| first.candidate().first && same(first, tried) && first.meets);
            once[..at].iter().all(|better| !same(better, tried)) && !first.is_some_and(|first| as_good(first, tried))
        };
        let again = once.iter().enumerate();
        let again = again.filter(|(at, tried)| tried.meets && (tried.candidate().first || best(*at, tried)));
        let again: Vec<Candidate> = again.map(|(_, tried)| tried.candidate().clone()).collect();
        let seeds = self.runner.seeds().len();
        let mut pool = WorldRuns { world, goal, entries, seeds };
        if !again.is_empty() {
            pool.add(self.run(world, &again, seeds, AGAIN)?);
        }
        Ok(pool)
    }

    /// The simplest of what is as good as the best, its main knob turned. Should a value of that be better or simpler, it is chosen in
    /// its turn; so what is said of the knob is said of what was ranked.
    pub(super) fn chosen(&self, pool: &mut WorldRuns) -> Result<Choice, Failure> {
        let mut choice = pool.choice()?;
        for _ in 0..TURNS {
            let turned = neighbours(&self.ask, choice.chosen().candidate());
            let turned = turned.map_or_else(Vec::new, |(_, values)| values.into_iter().map(|(_, one)| one).collect());
            let fresh: Vec<Candidate> = turned.into_iter().filter(|candidate| !pool.has(candidate)).collect();
            if fresh.is_empty() {
                break;
            }
            pool.add(self.run(pool.world, &fresh, pool.seeds, TURNED)?);
            choice = pool.choice()?;
        }
        Ok(choice)
    }

    /// The same, unless it does not come back from an emptied or a lost cache or that is not known, and another one that meets the goal is
    /// known to: the next by the rule, unless one with as many parts loses much less.
    pub(super) fn choose_recovering(
        &self,
        pool: &mut WorldRuns,
        days: &mut Days<'_>,
        choice: Choice,
    ) -> Result<ComesBack, Failure> {
        let chosen = choice.chosen().candidate().clone();
        if !choice.chosen().meets {
            return Ok(ComesBack { choice, comes_back: None, instead: None });
        }
        let own = days.comes_back(&chosen)?;
        if let Back::Yes { .. } = own {
            return Ok(ComesBack { choice, comes_back: Some(true), instead: None });
        }
        self.guard(pool, &choice)?;
        let ranking = pool.ranking();
        let (mut families, mut all_gone) = (vec![chosen.family.clone()], own == Back::No);
        let mut found: Option<(usize, f64)> = None;
        for at in preference(pool.goal.metric, &ranking) {
            let (tried, candidate) = (&ranking[at], ranking[at].candidate());
            let is_equal = |first: usize| {
                ranking[first].alike == tried.alike && parts(&candidate.spec) == parts(&ranking[first].candidate().spec)
            };
            if families.len() > STAND_INS || found.is_some_and(|(first, _)| !is_equal(first)) {
                break;
            }
            if families.contains(&candidate.family) {
                continue;
            }
            if self.runner.purse.part(1.0) < (ALL as f64 * LOOK_ON) as u64 {
                all_gone = false;
                break;
            }
            families.push(candidate.family.clone());
            match days.comes_back(candidate)? {
                Back::Yes { lost } if found.is_none_or(|(_, least)| much_less(lost, least)) => found = Some((at, lost)),
                Back::Yes { .. } | Back::No => {}
                Back::Unknown => all_gone = false,
            }
        }
        let Some((at, _)) = found else {
            return Ok(ComesBack { choice: pool.choice()?, comes_back: all_gone.then_some(false), instead: None });
        };
        let instead = instead(&ranking[at], choice.chosen(), own);
        let nothing = || Failure::failed("nothing was simulated: a bug");
        let choice = Choice::with(ranking, at).ok_or_else(nothing)?;
        Ok(ComesBack { choice, comes_back: Some(true), instead: Some(instead) })
    }

    /// The chosen one, and the best others, behind a limit and a breaker: they join what was run.
    fn guard(&self, pool: &mut WorldRuns, choice: &Choice) -> Result<(), Failure> {
        if pool.world.scale.is_sampled() {
            return Ok(());
        }
        let mut best: Vec<Candidate> = vec![choice.chosen().candidate().clone()];
        let ranking = pool.ranking();
        for tried in ranking.iter().filter(|tried| tried.meets && tried.alike) {
            if best.len() < GUARDED && best.iter().all(|known| known.family != tried.candidate().family) {
                best.push(tried.candidate().clone());
            }
        }
        let fresh = best.iter().flat_map(|candidate| guarded(&self.ask, pool.world.capacity, candidate));
        let fresh: Vec<Candidate> = fresh.filter(|candidate| !pool.has(candidate)).collect();
        if !fresh.is_empty() {
            pool.add(self.run(pool.world, &fresh, pool.seeds, TURNED)?);
        }
        Ok(())
    }

    /// The TTL with which a perfect cache would keep even its highest seconds within the capacity. By arithmetic: from an empty
    /// cache an origin that is far too small never gets there, so there is nothing to simulate.
    pub(super) fn longer_ttl(&self) -> Option<LongerTtl> {
        // m + z√m = capacity, solved for m.
        let (z, capacity) = (PEAK_DEVIATIONS, self.ask.capacity);
        let mean = (((z * z + 4.0 * capacity).sqrt() - z) / 2.0).powi(2);
        let ttl = ttl_for(&self.ask, mean)?;
        let floor = self.ask.population.floor(self.ask.rate, ttl, self.ask.service.mean());
        Some(LongerTtl { ttl_s: ttl.as_secs(), floor_per_s: thousandths(floor) })
    }

    /// What is looked for in a world.
    pub(super) fn goal(&self, world: SimulatedDay) -> Result<Goal, Failure> {
        self.ask.goal(world.change, world.capacity)
    }

    /// Runs candidates with so many seeds, for a part of what is left of the budget.
    pub(super) fn run(
        &self,
        world: SimulatedDay,
        all: &[Candidate],
        seeds: usize,
        part: f64,
    ) -> Result<Vec<CandidateRuns>, Failure> {
        self.runner.run(&self.ask, world, all, seeds, self.runner.purse.part(part))
    }
}

/// Why something else is advised than the simplest of what is as good as the best.
fn instead(found: &Tried, chosen: &Tried, own: Back) -> String {
    let p99 = |tried: &Tried| {
        let mean = tried.spread("latency_ms.p99").map_or(f64::NAN, |spread| spread.mean);
        format!("p99 {} ms", report::sweep::figure_text("latency_ms.p99", mean))
    };
    let which = if found.alike {
        "the simplest of those that are as good as the best and were seen to come back"
    } else {
        "the best of those that pass and were seen to come back"
    };
    let usual = if found.alike { "as good, and no more complicated" } else { "better on the usual day" };
    let back = if own == Back::No { "it does not" } else { "of it that is not known" };
    format!(
        "{which} by themselves when the cache was emptied or lost ({});\n         {} is {usual} ({}), but {back}",
        p99(found),
        chosen.candidate().spec.name(),
        p99(chosen),
    )
}
