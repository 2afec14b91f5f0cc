//! How far advice reaches: its main knob turned, and days that are not usual.

use super::Job;
use super::ask::tidy;
use super::candidates::{Candidate, guarded, neighbours};
use super::choose::Choice;
use super::record::{Knob, KnobValue, Limit, Rows, Setting, Verdict};
use super::search::COMES_BACK;
use super::trials::{Entry, Fate, Tried, ranked};
use super::words::{figure, peak};
use super::world::{Change, World, peak_max};
use crate::exit::Failure;
use crate::settings::quoted;

/// How much less must fail with another one that misses the goal, too, before it is worth a change: half, and a hundredth.
const MUCH_LESS: (f64, f64) = (0.5, 0.01);
/// How many of the others are run with all seeds.
const FINALISTS: usize = 4;
/// A share of requests that hardly anybody notices.
const HARDLY: f64 = 0.001;

impl Job {
    /// What was chosen, with its main knob turned: values that were ranked with all seeds.
    pub(super) fn main_knob(&self, rows: &Rows<'_>, choice: &Choice) -> Option<Knob> {
        let (name, values) = neighbours(&self.ask, choice.chosen().candidate())?;
        let seeds = self.bench.seeds().len();
        let values: Vec<KnobValue> = values
            .into_iter()
            .filter_map(|(value, candidate)| {
                let canonical = candidate.spec.canonical();
                let is = |tried: &&Tried| tried.candidate().spec.canonical() == canonical;
                let tried = choice.ranking.iter().find(is).filter(|tried| tried.entry.fates.len() >= seeds)?;
                Some(KnobValue { value, setting: rows.setting(tried) })
            })
            .collect();
        (values.len() > 1).then(|| Knob { name: name.to_owned(), words: knob_in_words(name, &values), values })
    }
}

/// The days that are not usual, and what was run on them.
pub(super) struct Days<'a> {
    job: &'a Job,
    usual: World,
    run: Vec<(Change, Entry)>,
}

impl<'a> Days<'a> {
    /// The days beside a usual one; nothing was run yet.
    pub(super) fn of(job: &'a Job, usual: World) -> Self {
        Self { job, usual, run: Vec::new() }
    }

    /// The runs of these strategies on such a day, with so many seeds; what was run already is not run again.
    fn entries(&mut self, change: Change, all: &[Candidate], seeds: usize) -> Result<Vec<Entry>, Failure> {
        let same = |one: &Candidate, two: &Candidate| one.spec.canonical() == two.spec.canonical();
        let has = |run: &[(Change, Entry)], candidate: &Candidate| {
            run.iter().position(|(on, e)| *on == change && same(&e.candidate, candidate) && e.fates.len() >= seeds)
        };
        let fresh: Vec<Candidate> = all.iter().filter(|c| has(&self.run, c).is_none()).cloned().collect();
        if !fresh.is_empty() {
            let world = self.usual.with(change);
            let bench = self.job.bench.with_seeds(seeds);
            let fresh = self.job.run_with(&bench, &world.in_words(), world, &fresh)?;
            self.run.extend(fresh.into_iter().map(|entry| (change, entry)));
        }
        Ok(all.iter().filter_map(|c| has(&self.run, c)).map(|at| self.run[at].1.clone()).collect())
    }

    /// With one seed, and those that are not hopeless with all of them.
    fn fairly(&mut self, change: Change, all: &[Candidate]) -> Result<Vec<Entry>, Failure> {
        let seeds = self.job.bench.seeds().len();
        let (hopeless, hopeful): (Vec<Entry>, Vec<Entry>) = self.entries(change, all, 1)?.into_iter().partition(is_cut);
        let hopeful: Vec<Candidate> = hopeful.into_iter().map(|entry| entry.candidate).collect();
        let mut entries = self.entries(change, &hopeful, seeds)?;
        entries.extend(hopeless);
        Ok(entries)
    }

    /// The largest shares of requests that failed when the cache was emptied and when it was lost, added up; `None` where a strategy does
    /// not come back from that by itself with every seed.
    pub(super) fn comes_back(&mut self, candidate: &Candidate) -> Result<Option<f64>, Failure> {
        let mut lost = 0.0;
        for change in COMES_BACK {
            for entry in self.fairly(change, std::slice::from_ref(candidate))? {
                if !comes_back(change, &entry) {
                    return Ok(None);
                }
                lost += worst(change, &entry);
            }
        }
        Ok(Some(lost))
    }

    /// What was chosen and what else there is, on every such day.
    pub(super) fn limits(&mut self, choice: &Choice) -> Result<Vec<Limit>, Failure> {
        Change::days(&self.job.ask).into_iter().map(|change| self.limit(change, choice)).collect()
    }

    /// The same on one such day; nothing is simulated where no strategy can do it.
    fn limit(&mut self, change: Change, choice: &Choice) -> Result<Limit, Failure> {
        let job = self.job;
        let world = self.usual.with(change);
        let (name, what) = (change.name().to_owned(), world.in_words());
        let floor = world.floor(&job.ask, &world.scenario(&job.ask)?.keys);
        if floor > world.capacity {
            let (needed, does) = (tidy(floor), tidy(world.capacity));
            let words =
                format!("no strategy can: a perfect cache needs {needed} reads/s, and the origin then does {does}");
            return Ok(Limit { name, what, verdict: Verdict::NoStrategyCan, words, chosen: None, runner_up: None });
        }
        let mut all: Vec<Candidate> =
            [choice.chosen()].into_iter().chain(choice.runner_up()).map(|t| t.candidate().clone()).collect();
        let entries = self.fairly(change, &all)?;
        let mut tried = ranked(&job.goal(world)?, &entries, 1);
        if !tried.iter().any(|tried| tried.meets) {
            all = self.others(choice, &all);
            tried = self.rescued(change, tried, &all)?;
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
        for candidate in choice.ranking.iter().filter(|tried| tried.meets).map(Tried::candidate) {
            if !families.contains(&candidate.family.as_str()) {
                families.push(&candidate.family);
                others.push(candidate.clone());
            }
        }
        others
    }

    /// The best of them joins, if it does better than those that were tried.
    fn rescued(&mut self, change: Change, tried: Vec<Tried>, others: &[Candidate]) -> Result<Vec<Tried>, Failure> {
        let goal = self.job.goal(self.usual.with(change))?;
        let mut once = ranked(&goal, &self.entries(change, others, 1)?, 1);
        once.sort_by(|a, b| severity(change, a).total_cmp(&severity(change, b)));
        // One seed shows who may do; all of them who does.
        let few: Vec<Candidate> = once.iter().take(FINALISTS).map(|tried| tried.candidate().clone()).collect();
        let few = ranked(&goal, &self.fairly(change, &few)?, 1);
        let best = few.iter().min_by(|a, b| severity(change, a).total_cmp(&severity(change, b)));
        let Some(best) = best.filter(|best| tried.iter().all(|t| severity(change, best) < severity(change, t))) else {
            return Ok(tried);
        };
        let best = [best.entry.clone()];
        let entries: Vec<Entry> = tried.into_iter().map(|tried| tried.entry).chain(best).collect();
        Ok(ranked(&goal, &entries, 1))
    }
}

fn is_cut(entry: &Entry) -> bool {
    entry.fates.iter().any(|fate| fate.cut_after_s.is_some())
}

/// Whether every run came back by itself: none was cut, and of none it is known that it did not recover.
fn comes_back(change: Change, entry: &Entry) -> bool {
    !is_cut(entry) && !entry.fates.iter().any(|fate| is_gone(change, fate))
}

/// Whether it is known that a run did not recover. Where a replica is gone the others read for it, too: that is no harm by itself.
fn is_gone(change: Change, fate: &Fate) -> bool {
    fate.recovered == Some(false) && (change != Change::Crash || failed(change, fate) > 0.0)
}

/// Requests that fail or are refused. Of a replica that is killed its own are lost whatever the strategy.
fn failed(change: Change, fate: &Fate) -> f64 {
    let errors = if change == Change::Crash { 0 } else { fate.errors };
    (errors + fate.shed) as f64 / fate.requests.max(1) as f64
}

/// The largest share of requests that failed with any seed.
fn worst(change: Change, entry: &Entry) -> f64 {
    entry.fates.iter().map(|fate| failed(change, fate)).fold(0.0, f64::max)
}

/// How bad a day was: the largest share of requests that failed with any seed; 2 more for who does not come back, and a trifle for who
/// misses the goal, so that of equals he comes last.
fn severity(change: Change, tried: &Tried) -> f64 {
    let worst = worst(change, &tried.entry);
    let gone = if comes_back(change, &tried.entry) { 0.0 } else { 2.0 };
    let missed = if tried.meets { 0.0 } else { 1e-6 };
    gone + worst + missed
}

fn verdict(change: Change, chosen: &Tried, other: Option<&Tried>) -> Verdict {
    let better = |other: &Tried| {
        let (one, two) = (severity(change, chosen), severity(change, other));
        other.meets
            || comes_back(change, &other.entry) && !comes_back(change, &chosen.entry)
            || two < one * MUCH_LESS.0 && two < one - MUCH_LESS.1
    };
    match (chosen.meets, other) {
        (true, Some(other)) if other.meets && !chosen.alike => Verdict::RunnerUpBetter,
        (true, _) => Verdict::Holds,
        (false, Some(other)) if better(other) => Verdict::Switch,
        (false, _) => Verdict::Neither,
    }
}

fn in_words(world: World, verdict: Verdict, rows: &Rows<'_>, chosen: &Tried, other: Option<&Tried>) -> String {
    let own = came_of(world, rows, chosen);
    let named = |other: &Tried| format!("--strategy {}", quoted(other.candidate().spec.name()));
    let others = other.map(|other| (named(other), came_of(world, rows, other)));
    match (verdict, others) {
        (Verdict::RunnerUpBetter, Some((name, came))) => format!("it does ({own}), but {name} does better: {came}"),
        (Verdict::Switch, Some((name, came))) if severity(world.change, chosen) < HARDLY => {
            format!("nearly right: {own}. With {name} none: {came}")
        }
        (Verdict::Switch, Some((name, came))) if other.is_some_and(|other| !other.meets) => {
            format!("no longer right: {own}. Better, though not enough, is {name}: {came}")
        }
        (Verdict::Switch, Some((name, came))) => format!("no longer right: {own}. Take {name}: {came}"),
        (Verdict::Holds, _) => format!("still right: {own}"),
        (_, _) if COMES_BACK.contains(&world.change) && comes_back(world.change, &chosen.entry) => {
            format!("it comes back: {own}; nothing that was tried does much better")
        }
        (_, Some((name, came))) => format!("not enough: {own}; nor {name}: {came}"),
        (_, None) => format!("not enough: {own}"),
    }
}

/// What came of a strategy on such a day: `p99 201 ms, peak 44 reads/s` where it meets the goal; else what it misses.
fn came_of(world: World, rows: &Rows<'_>, tried: &Tried) -> String {
    let setting = rows.setting(tried);
    let fates = fates_in_words(world.change, &tried.entry.fates);
    let most = tried.spread("origin.max_per_second").map_or(0.0, |spread| spread.max);
    if !fates.is_empty() {
        return fates;
    }
    if !tried.meets {
        return if most > peak_max(world.capacity) {
            format!("more than the origin can at once, though no request fails ({})", tried.misses.join(", "))
        } else {
            tried.misses.join(", ")
        };
    }
    let lost = tried.entry.fates.iter().map(|fate| fate.errors).max().unwrap_or(0);
    let s = if lost == 1 { " fails" } else { "s fail" };
    let lost = if lost > 0 { format!(", up to {lost} request{s}") } else { String::new() };
    short(&setting) + &lost
}

/// Where requests failed or a run did not come back: how many, in how many of the runs, and how it ended. Empty where all went well.
fn fates_in_words(change: Change, fates: &[Fate]) -> String {
    let n = fates.len();
    let of = |k: usize| if k == n { String::new() } else { format!(" in {k} of {n} runs") };
    if let Some(cut) = fates.iter().find_map(|fate| fate.cut_after_s) {
        let share = fates.iter().map(|fate| failed(change, fate)).fold(0.0, f64::max);
        return format!("requests pile up ({} had failed when the run was cut, {cut:.0} s in)", percent(share));
    }
    let bad: Vec<f64> = fates.iter().map(|fate| failed(change, fate)).filter(|share| *share > 0.0).collect();
    let gone = fates.iter().filter(|fate| is_gone(change, fate)).count();
    if bad.is_empty() && gone == 0 {
        return String::new();
    }
    let (least, most) = bad.iter().fold((1.0_f64, 0.0_f64), |(l, m), share| (l.min(*share), m.max(*share)));
    let range = if percent(least) == percent(most) {
        percent(most)
    } else {
        format!("{} to {}", percent(least), percent(most))
    };
    if bad.is_empty() {
        return format!("no request fails, but IT NEVER RECOVERS{}", of(gone));
    }
    let failing = format!("{range} of requests fail{}", of(bad.len()));
    let after: Vec<f64> = fates.iter().filter_map(|fate| fate.recovered_after_s).collect();
    let longest = after.iter().copied().fold(0.0, f64::max);
    match gone {
        0 if after.is_empty() || change == Change::Crash && longest == 0.0 => failing,
        0 if longest == 0.0 => format!("{failing}, and no more than 1% once it is over"),
        0 => format!("{failing}, and no more than 1% from {longest:.0} s after it on"),
        gone if change == Change::Crash && gone == bad.len() => format!("{failing}, for as long as it is gone"),
        gone if change == Change::Crash => format!("{failing}, for as long as it is gone{}", of(gone)),
        gone => format!("{failing}, and IT NEVER RECOVERS{}", of(gone)),
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p < 0.1 => "<0.1%".into(),
        p if p < 10.0 => format!("{p:.1}%"),
        p => format!("{p:.0}%"),
    }
}

/// `p99 201 ms, peak 44 reads/s`.
fn short(setting: &Setting) -> String {
    format!("p99 {} ms, peak {} reads/s", figure(setting, "latency_ms.p99"), peak(setting))
}

/// From where to where the knob may be turned.
fn knob_in_words(name: &str, values: &[KnobValue]) -> String {
    let good: Vec<&str> =
        values.iter().filter(|v| v.setting.meets_goal && v.setting.as_good_as_best).map(|v| v.value.as_str()).collect();
    let missing: Vec<&str> = values.iter().filter(|v| !v.setting.meets_goal).map(|v| v.value.as_str()).collect();
    let s = if missing.len() == 1 { "es" } else { "" };
    let missed = if missing.is_empty() { String::new() } else { format!("; {} miss{s} the goal", missing.join(", ")) };
    match (good.as_slice(), good.len() == values.len()) {
        ([], _) if missing.len() == values.len() => format!("no value of {name} meets the goal"),
        ([], _) => format!("no value of {name} is as good as the best{missed}"),
        (_, true) => {
            format!("{name} hardly matters here: from {} to {} all values are as good", good[0], good[good.len() - 1])
        }
        ([one], _) => format!("{name} matters: no other value is as good as {one}{missed}"),
        _ => format!("{name}: {} are as good as each other{missed}", good.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(shed: u64, recovered: Option<bool>, after: Option<f64>) -> Fate {
        let (seed, requests, errors, cut_after_s) = (42, 1000, 0, None);
        Fate { seed, requests, errors, shed, recovered, recovered_after_s: after, cut_after_s }
    }

    #[test]
    fn what_failed_is_told_as_it_was_and_nothing_is_where_nothing_did() {
        let (well, gone) = (fate(0, Some(true), Some(0.0)), fate(0, Some(false), None));
        let lossy = |shed, after| fate(shed, Some(true), Some(after));
        for (change, fates, words) in [
            (Change::LostCache, vec![well, well], ""),
            (
                Change::LostCache,
                vec![lossy(10, 3.0), lossy(50, 9.0)],
                "1.0% to 5.0% of requests fail, and no more than 1% from 9 s after it on",
            ),
            (
                Change::LostCache,
                vec![well, lossy(10, 0.0)],
                "1.0% of requests fail in 1 of 2 runs, and no more than 1% once it is over",
            ),
            (Change::Cold, vec![fate(500, Some(false), None); 2], "50% of requests fail, and IT NEVER RECOVERS"),
            // Nobody was refused, and the origin is read more than before to the end.
            (Change::Cold, vec![well, gone], "no request fails, but IT NEVER RECOVERS in 1 of 2 runs"),
            // One replica less is read for one more often: no harm by itself.
            (Change::Crash, vec![gone, gone], ""),
            (
                Change::Crash,
                vec![fate(20, Some(false), None), well],
                "2.0% of requests fail in 1 of 2 runs, for as long as it is gone",
            ),
            (Change::Load, vec![fate(3, None, None); 2], "0.3% of requests fail"),
        ] {
            assert_eq!(fates_in_words(change, &fates), words, "{change:?} {fates:?}");
        }
    }
}
