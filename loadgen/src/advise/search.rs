//! From the candidates to the one that is advised.

use std::io::Write as _;

use super::candidates::{Candidate, Candidates, guarded, neighbours, parts};
use super::choose::Choice;
use super::limits::Days;
use super::trials::{Bench, Entry, Tried, near, ranked};
use super::world::{Change, PEAK_DEVIATIONS, World};
use super::{Job, thousandths};
use crate::exit::Failure;
use crate::sweep::goal::Goal;
use scenarios::Keys;

use super::ask::{floor_per_s, ttl_for};
use super::record::LongerTtl;

/// More than any origin needs.
const AMPLE: f64 = 1e6;
/// A capacity that was another origin's peak may be a little short once reads wait for each other.
const ROOM: [f64; 2] = [1.1, 1.5];
/// How often another one may turn out to be the simplest when the knob of the last one was turned.
const TURNS: usize = 3;
/// Settings that are tried behind a limit and a breaker where the chosen one does not come back: itself, and the best.
const GUARDED: usize = 3;
/// Settings that are tried in the place of one that does not come back from a lost cache.
const STAND_INS: usize = 10;

/// Everything that was run in one world.
pub(super) struct Pool {
    pub(super) world: World,
    goal: Goal,
    entries: Vec<Entry>,
    seeds: usize,
}

impl Pool {
    /// Ranked: what meets the goal first, the best first.
    pub(super) fn ranking(&self) -> Vec<Tried> {
        ranked(&self.goal, &self.entries, self.seeds)
    }

    /// Adds runs; of a strategy that is there already the one with more seeds stays.
    fn add(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let same = |known: &&mut Entry| known.candidate.spec.canonical() == entry.candidate.spec.canonical();
            match self.entries.iter_mut().find(same) {
                Some(known) if known.fates.len() >= entry.fates.len() => {}
                Some(known) => *known = entry,
                None => self.entries.push(entry),
            }
        }
    }

    /// Whether it was run with all seeds.
    fn has(&self, candidate: &Candidate) -> bool {
        let is = |entry: &Entry| entry.candidate.spec.canonical() == candidate.spec.canonical();
        self.entries.iter().any(|entry| is(entry) && entry.fates.len() >= self.seeds)
    }

    fn choice(&self) -> Result<Choice, Failure> {
        Choice::of(self.ranking()).ok_or_else(|| Failure::failed("nothing was simulated: a bug"))
    }
}

/// What came of the candidates.
pub(super) struct Trial {
    /// What was run where they were tried at last.
    pub(super) pool: Pool,
    /// Whether that is the world that was asked about, and something meets the goal there.
    pub(super) enough: bool,
    /// Where it is another one: the nearest miss in the one that was asked about, if anything was tried there.
    pub(super) as_it_is: Option<Tried>,
}

/// What is chosen in the end.
pub(super) struct ComesBack {
    pub(super) choice: Choice,
    /// Whether it comes back by itself when the cache was emptied or lost; `None` where it misses the goal anyway.
    pub(super) comes_back: Option<bool>,
    /// Why it is not the simplest of what is as good as the best.
    pub(super) instead: Option<String>,
}

impl Job {
    /// Everything in the world that was asked about; and where nothing can do there, in one whose origin can just do it.
    pub(super) fn tried(&self) -> Result<Trial, Failure> {
        let mut given = None;
        if self.ask.floor <= self.ask.capacity {
            let pool = self.race("the usual day", self.usual)?;
            if pool.ranking().iter().any(|tried| tried.meets) {
                return Ok(Trial { pool, enough: true, as_it_is: None });
            }
            given = Some(pool);
        }
        // One seed of one setting a preset shows about how much would do.
        let ample = self.usual.of_capacity(AMPLE);
        let firsts = self.candidates(ample)?.into_iter().filter(|candidate| candidate.first).collect::<Vec<_>>();
        let entries = self.run_with(&self.bench.with_seeds(1), "an origin that is never short", ample, &firsts)?;
        let peaks = ranked(&self.goal(ample)?, &entries, 1);
        let peaks = peaks.iter().filter(|tried| tried.meets).filter_map(|tried| tried.spread("origin.max_per_second"));
        if let Some(least) = peaks.map(|peak| peak.max).min_by(f64::total_cmp) {
            for room in ROOM {
                let world = self.usual.of_capacity((least * room).ceil());
                let pool = self.race("an origin that can do it", world)?;
                if pool.ranking().iter().any(|tried| tried.meets) {
                    let as_it_is = given.and_then(|given| given.ranking().into_iter().next());
                    return Ok(Trial { pool, enough: false, as_it_is });
                }
            }
        }
        let pool = given.map_or_else(|| self.race("the usual day", self.usual), Ok)?;
        Ok(Trial { pool, enough: false, as_it_is: None })
    }

    /// What is tried with an origin of this capacity.
    fn candidates(&self, world: World) -> Result<Vec<Candidate>, Failure> {
        Ok(Candidates::of(&self.ask, world.capacity, world.reduced)?.tried)
    }

    /// Everything with one seed, and of every preset that passed its first setting, and its best where that is better, with all seeds. A
    /// condition that is missed with one seed is missed, so more of them would tell nothing of the others.
    fn race(&self, what: &str, world: World) -> Result<Pool, Failure> {
        let entries = self.run_with(&self.bench.with_seeds(1), what, world, &self.candidates(world)?)?;
        let goal = self.goal(world)?;
        let once = ranked(&goal, &entries, 1);
        let same = |one: &Tried, two: &Tried| one.candidate().family == two.candidate().family;
        let mean = |tried: &Tried| tried.spread(goal.metric);
        let as_good = |one: &Tried, two: &Tried| mean(one).zip(mean(two)).is_some_and(|(o, t)| near(goal.metric, o, t));
        // Who is better than the preset as it is by no more than noise is better by luck.
        let best = |at: usize, tried: &Tried| {
            let first = once.iter().find(|first| first.candidate().first && same(first, tried) && first.meets);
            once[..at].iter().all(|better| !same(better, tried)) && !first.is_some_and(|first| as_good(first, tried))
        };
        let again = once.iter().enumerate();
        let again = again.filter(|(at, tried)| tried.meets && (tried.candidate().first || best(*at, tried)));
        let again: Vec<Candidate> = again.map(|(_, tried)| tried.candidate().clone()).collect();
        let mut pool = Pool { world, goal, entries, seeds: self.bench.seeds().len() };
        if !again.is_empty() {
            pool.add(self.run(&format!("{what}, the best of it"), world, &again)?);
        }
        Ok(pool)
    }

    /// The simplest of what is as good as the best, its main knob turned. Should a value of that be better or simpler, it is chosen in
    /// its turn; so what is said of the knob is said of what was ranked.
    pub(super) fn chosen(&self, pool: &mut Pool) -> Result<Choice, Failure> {
        let mut choice = pool.choice()?;
        for _ in 0..TURNS {
            let turned = neighbours(&self.ask, choice.chosen().candidate());
            let (name, turned) = turned.map_or(("", Vec::new()), |(name, values)| {
                (name, values.into_iter().map(|(_, candidate)| candidate).collect())
            });
            let fresh: Vec<Candidate> = turned.into_iter().filter(|candidate| !pool.has(candidate)).collect();
            if fresh.is_empty() {
                break;
            }
            pool.add(self.run(&format!("{name}, the main knob"), pool.world, &fresh)?);
            choice = pool.choice()?;
        }
        Ok(choice)
    }

    /// The same, unless it does not come back from an emptied or a lost cache, and something else that meets the goal does: the simplest
    /// of what is as good, or else the best of what is not.
    pub(super) fn that_comes_back(
        &self,
        pool: &mut Pool,
        days: &mut Days<'_>,
        choice: Choice,
    ) -> Result<ComesBack, Failure> {
        let chosen = choice.chosen().candidate().clone();
        if !choice.chosen().meets {
            return Ok(ComesBack { choice, comes_back: None, instead: None });
        }
        if days.comes_back(&chosen)?.is_some() {
            return Ok(ComesBack { choice, comes_back: Some(true), instead: None });
        }
        let mut best: Vec<Candidate> = vec![chosen.clone()];
        let ranking = pool.ranking();
        for tried in ranking.iter().filter(|tried| tried.meets && tried.alike) {
            if best.len() < GUARDED && best.iter().all(|known| known.family != tried.candidate().family) {
                best.push(tried.candidate().clone());
            }
        }
        let fresh = best.iter().flat_map(|candidate| guarded(&self.ask, pool.world.capacity, candidate));
        let fresh: Vec<Candidate> = fresh.filter(|candidate| !pool.has(candidate)).collect();
        if !fresh.is_empty() {
            pool.add(self.run("the same behind a limit or a breaker", pool.world, &fresh)?);
        }
        let ranking = pool.ranking();
        let full = |tried: &Tried| tried.meets && tried.entry.fates.len() >= pool.seeds;
        let good = ranking.iter().enumerate().filter(|(_, tried)| full(tried));
        let good =
            good.map(|(at, tried)| (!tried.alike, if tried.alike { parts(&tried.candidate().spec) } else { 0 }, at));
        let mut good: Vec<(bool, u32, usize)> = good.collect();
        good.sort_unstable();
        let mut families = vec![chosen.family.clone()];
        let mut found: Option<(bool, u32, f64, usize)> = None;
        for (worse, parts, at) in good {
            let candidate = ranking[at].candidate();
            let simpler = found.is_some_and(|(w, p, ..)| (w, p) < (worse, parts));
            if simpler || families.len() > STAND_INS {
                break;
            }
            if families.contains(&candidate.family) {
                continue;
            }
            families.push(candidate.family.clone());
            // Of the same number of parts, who loses least.
            if let Some(lost) = days.comes_back(candidate)?
                && found.is_none_or(|(.., least, _)| lost < least)
            {
                found = Some((worse, parts, lost, at));
            }
        }
        let Some((worse, .., at)) = found else {
            return Ok(ComesBack { choice: pool.choice()?, comes_back: Some(false), instead: None });
        };
        let (which, usual) = if worse {
            ("the best of those that pass and come back", "better on the usual day, but does not")
        } else {
            (
                "the simplest of those that are as good as the best and come back",
                "as good, and no more complicated, but does not",
            )
        };
        let p99 = |tried: &Tried| {
            let mean = tried.spread("latency_ms.p99").map_or(f64::NAN, |spread| spread.mean);
            format!("p99 {} ms", report::sweep::figure_text("latency_ms.p99", mean))
        };
        let instead = format!(
            "{which} by themselves when the cache was emptied or lost ({});\n         {} is {usual} ({})",
            p99(&ranking[at]),
            chosen.spec.name(),
            p99(choice.chosen()),
        );
        let nothing = || Failure::failed("nothing was simulated: a bug");
        let choice = Choice::with(ranking, at).ok_or_else(nothing)?;
        Ok(ComesBack { choice, comes_back: Some(true), instead: Some(instead) })
    }

    /// The TTL with which a perfect cache would keep even its highest seconds within the capacity. By arithmetic: from an empty
    /// cache an origin that is far too small never gets there, so there is nothing to simulate.
    pub(super) fn longer_ttl(&self, keys: &Keys) -> Option<LongerTtl> {
        // m + z√m = capacity, solved for m.
        let (z, capacity) = (PEAK_DEVIATIONS, self.ask.capacity);
        let mean = (((z * z + 4.0 * capacity).sqrt() - z) / 2.0).powi(2);
        let ttl = ttl_for(&self.ask, keys, mean)?;
        let floor = floor_per_s(self.ask.rate, keys, ttl, self.ask.service.mean());
        Some(LongerTtl { ttl_s: ttl.as_secs(), floor_per_s: thousandths(floor) })
    }

    /// What is looked for in a world.
    pub(super) fn goal(&self, world: World) -> Result<Goal, Failure> {
        self.ask.goal(world.change, world.capacity, &world.scenario(&self.ask)?.keys)
    }

    pub(super) fn run(&self, what: &str, world: World, all: &[Candidate]) -> Result<Vec<Entry>, Failure> {
        self.run_with(&self.bench, what, world, all)
    }

    pub(super) fn run_with(
        &self,
        bench: &Bench,
        what: &str,
        world: World,
        all: &[Candidate],
    ) -> Result<Vec<Entry>, Failure> {
        self.say(what, all.len());
        bench.run(&self.ask, world, all)
    }

    fn say(&self, what: &str, settings: usize) {
        if !self.quiet {
            let s = if settings == 1 { "" } else { "s" };
            let _ = writeln!(std::io::stderr(), "{what}: {settings} setting{s}");
        }
    }
}

/// What is different from the usual day where a strategy has to come back by itself.
pub(super) const COMES_BACK: [Change; 2] = [Change::Cold, Change::LostCache];
