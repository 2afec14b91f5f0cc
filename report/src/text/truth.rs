//! What is wrong by the ledgers, in words: counters that lost counts or have no end, answers that were behind a commit, requests that
//! waited for another key's, and those that came with what the cache's server did.

use crate::record::{MarkFigures, Run, Strategy};
use crate::text::phrases;
use crate::text::phrases::name_of;

/// Fewer slow requests than that say nothing.
const SLOWEST_MIN: u64 = 20;

/// Whose counters were wrong, and how; and how far behind commits each strategy's answers were, the least first. A sentence each.
pub(crate) fn of_run(run: &Run) -> Vec<String> {
    let valid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| strategy.valid).collect();
    let first = counted_wrong(&valid).into_iter().chain(parts(&valid));
    first.chain(behind(&valid)).chain(starved(&valid)).chain(server(&valid)).collect()
}

/// Whether counts were lost, or a counter was seen without an end.
pub(crate) fn counts_wrong(strategy: &Strategy) -> bool {
    let more = |figure: Option<u64>| figure.is_some_and(|n| n > 0);
    strategy.counters.as_ref().is_some_and(|counters| more(counters.lost) || more(counters.immortal_max))
}

/// What a counter is told above a limit may be an estimate of one that counts right, so that alone is nothing to name.
fn counted_wrong(strategies: &[&Strategy]) -> Option<String> {
    let wrong = strategies.iter().filter(|strategy| counts_wrong(strategy));
    let named = wrong.filter_map(|strategy| {
        Some(format!("{} ({})", name_of(&strategy.name), phrases::counter_faults(strategy.counters.as_ref()?)))
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("COUNTED WRONG, in the whole run with its warm-up: {}.", named.join(", ")))
}

/// Who answers with less than the others: their bytes and times are not to be held against those.
fn parts(strategies: &[&Strategy]) -> Option<String> {
    let named = strategies.iter().filter_map(|strategy| {
        let part = strategy.traffic.as_ref()?.part.filter(|part| *part < 1.0)?;
        Some(format!("{} ({} of it)", name_of(&strategy.name), phrases::share(Some(part))))
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| {
        let named = named.join(", ");
        format!("Answers with a part of each item: {named}. Its bytes and times are those of smaller answers, where others give the whole.")
    })
}

/// Whose requests waited for connections that others held: those that were not for the hot key.
fn starved(strategies: &[&Strategy]) -> Option<String> {
    let named = strategies.iter().filter_map(|strategy| {
        let pool = strategy.pool.as_ref()?;
        let elsewhere = pool.waited_elsewhere.filter(|count| *count > 0)?;
        let (share, p99) = (phrases::share(pool.waited_share), phrases::ms_with_unit(pool.wait_ms.p99));
        Some(format!(
            "{} ({share} of its requests, p99 {p99}; {elsewhere} not for the hot key)",
            name_of(&strategy.name)
        ))
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("Waited for a connection: {}.", named.join(", ")))
}

/// Entries end when the strategy has them end, and a request that finds none is slow by that alone.
const EXPIRIES: &str = "expiries";

/// Whose slowest requests came together with what the cache's server did: with which of it most, where that is more than chance.
fn server(strategies: &[&Strategy]) -> Option<String> {
    let named = strategies.iter().filter_map(|strategy| {
        let server = strategy.server.as_ref()?;
        let slowest = server.slowest.filter(|count| *count >= SLOWEST_MIN)? as f64;
        let more = |mark: &MarkFigures| {
            let (near, by_chance) = (mark.slowest_near_share? * slowest, mark.near_by_chance? * slowest);
            // Twice as many as by chance, and three standard deviations more: counts of what is rare are Poisson's.
            let far = near >= 2.0 * by_chance && near - by_chance >= 3.0 * by_chance.max(1.0).sqrt();
            far.then_some(near - by_chance)
        };
        let own = server.by_mark.iter().filter(|(name, _)| *name != EXPIRIES);
        let marks = own.filter_map(|(name, mark)| Some((more(mark)?, name, mark)));
        let (_, name, mark) = marks.max_by(|one, two| one.0.total_cmp(&two.0))?;
        let (near, chance) = (phrases::share(mark.slowest_near_share), phrases::share(mark.near_by_chance));
        let name = crate::text::escape::line(name);
        Some(format!("{} ({near} of them near {name}, {chance} by chance)", name_of(&strategy.name)))
    });
    let named: Vec<String> = named.collect();
    let of = "The slowest 0.1 % came with the server's own doings";
    (!named.is_empty()).then(|| format!("{of}: {}.", named.join(", ")))
}

fn behind(strategies: &[&Strategy]) -> Option<String> {
    let known = |strategy: &&Strategy| {
        let behind = strategy.behind.as_ref()?;
        Some((behind.share?, (behind.age_ms.max, behind.wrong_ms_max?), name_of(&strategy.name)))
    };
    let right = strategies.iter().filter(|strategy| !phrases::wrong_on_purpose(strategy));
    let mut known: Vec<(f64, (Option<f64>, f64), String)> = right.filter_map(known).collect();
    known.sort_by(|one, two| one.0.total_cmp(&two.0));
    let said = known.iter().map(|(share, (oldest, wrong_ms), name)| {
        let (share, longest) = (phrases::share(Some(*share)), phrases::ms_with_unit(Some(*wrong_ms)));
        let oldest = oldest.map(|ms| format!(", by {} at most", phrases::ms_with_unit(Some(ms)))).unwrap_or_default();
        format!("{name} ({share}{oldest}; all answers for a key for {longest} at most)")
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| format!("Behind a commit: {}.", said.join(", ")))
}
