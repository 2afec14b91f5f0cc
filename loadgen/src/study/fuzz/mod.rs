//! `loadgen fuzz`: seeds on all cores, each a small world in which things go wrong and every invariant is checked.

mod explore;
mod floors;
mod grid;
mod must_fail;
mod random;
mod replay;

use std::path::Path;
use std::time::Instant;

use sim::fuzz::{Case, FuzzSubject, PROFILES, Profile, play};
use strategies::spec::{BROKEN, PRESETS};

use crate::cli::FuzzArgs;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
pub use explore::{Explored, FoundFailure, counted, explore, table};
pub use floors::{FLOORS, PER_SEEDS};
pub use grid::{FuzzGrid, Try};
pub use must_fail::firsts;

/// The word for a composition drawn from each seed.
const RANDOM: &str = "random";

/// Compositions beside the presets that `all` stands for: what spares the origin is in no preset.
const GUARDED: [&str; 2] = [
    "plain + bare + limit(concurrency=2, queue=4) + breaker(samples=3, window=2s, cool_down=1s, successes=2)",
    "swr + coalesce + lease + limit(concurrency=2, queue=1, margin=200ms) + breaker(samples=2, share=0.3, cool_down=500ms, trickle=2, successes=3)",
];

/// And those that do something to the cache when an item is written: their worlds have writers.
const WRITTEN: [&str; 7] = [
    "plain + bare + invalidate",
    "plain + lock + invalidate(twice=100ms)",
    "plain + lease + invalidate",
    "swr + coalesce + lease + invalidate",
    "plain + lock + write-through",
    "plain + lease + write-through",
    "xfetch(stale=T) + jitter(spread=0.1) + coalesce + lease(wake=notify) + write-through",
];

/// And those that keep values in the replicas' processes.
const NEAR: [&str; 7] = [
    "plain + near(ttl=200ms) + coalesce + lock",
    "swr + near(ttl=500ms, jitter=0.3, stale=1s) + lease",
    "plain + near(ttl=60s, invalidate=pubsub) + coalesce + lease + invalidate",
    "plain + near(ttl=60s, invalidate=streams, maxlen=3) + coalesce + lease + invalidate",
    "plain + near(ttl=60s, invalidate=tracking) + lease + invalidate",
    "xfetch + near(ttl=60s, entries=2, invalidate=tracking-default) + coalesce + lease + write-through",
    "swr + local + coalesce",
];

/// And strategies that count, all right: in their worlds each request increments a counter.
const COUNTED: [&str; 5] = ["multi", "lua", "lua(repair=true)", "increx", "lua + jitter(0.2) + sharded(n=3)"];

/// Those that are wrong, as real programs are.
pub const WRONG_COUNTERS: [&str; 3] = ["get-set-incr", "set-nx-incr", "incr-expire"];

/// Does what the command line says.
///
/// # Errors
/// [`Failure`] for bad input, or where an invariant did not hold.
pub fn run(args: &FuzzArgs) -> Result<Exit, Failure> {
    let grid = FuzzGrid {
        subjects: subjects(&args.strategy)?,
        profiles: profiles(&args.profile)?,
        random: args.strategy == RANDOM,
    };
    if let Some(seed) = args.seed {
        return replay::replay(&grid, seed, args.log);
    }
    if let Some(file) = &args.corpus {
        return corpus(file, args.must_fail);
    }
    if args.must_fail {
        return must_fail::run(&grid, args.from, args.seeds);
    }
    let begun = Instant::now();
    let explored = explore(&grid, args.from, args.seeds, args.jobs());
    output::out(&explored.text(&grid, begun.elapsed()))?;
    if let Some(found) = explored.found.first() {
        return Err(Failure::failed(format!(
            "an invariant did not hold · {} of {} seeds · {} · replay: {}",
            explored.found.len(),
            explored.seeds,
            found.violation,
            found.of.command()
        )));
    }
    let hardly = if args.floors { explored.hardly() } else { Vec::new() };
    if !hardly.is_empty() {
        let rows = hardly.iter().map(|(name, count, floor)| format!("{name} {count} times of at least {floor}"));
        return Err(Failure::failed(format!(
            "hardly exercised · {} · see what keeps it from happening",
            rows.collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(Exit::Ok)
}

/// Plays every line of a corpus: `SEED PROFILE STRATEGY`, each once the seed of a failure, or one that must fail.
fn corpus(file: &Path, must_fail: bool) -> Result<Exit, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::usage(format!("cannot read the corpus · {shown} · {e} · name another file")))?;
    let tries = saved(&text, &shown.to_string())?;
    if tries.is_empty() {
        return Err(Failure::usage(format!(
            "nothing to play · --corpus {shown} · found no seed, needed one or more · a line is `SEED PROFILE STRATEGY`"
        )));
    }
    for of in &tries {
        let said = match play(&Case::draw(of.seed, of.profile), &of.subject, false).violation {
            Some(violation) if !must_fail => format!("a saved seed fails again · {shown} · {violation}"),
            None if must_fail => format!("a seed that must fail does not: the fuzzer is blind here · {shown}"),
            Some(_) | None => continue,
        };
        return Err(Failure::failed(format!("{said} · replay: {}", of.command())));
    }
    let held = if must_fail { "every one fails, as it must" } else { "every invariant held" };
    output::out(&format!("{} saved seeds: {held}\n", tries.len()))?;
    Ok(Exit::Ok)
}

/// The tries of a corpus.
///
/// # Errors
/// [`Failure`] at the first line that is none.
pub fn saved(text: &str, name: &str) -> Result<Vec<Try>, Failure> {
    let lines = (1..).zip(text.lines()).map(|(at, line)| (at, line.split('#').next().unwrap_or("").trim()));
    let tries = lines.filter(|(_, line)| !line.is_empty()).map(|(at, line)| {
        let wrong = |what: String| {
            Failure::usage(format!("not a saved seed · {name}:{at} · {what} · a line is `SEED PROFILE STRATEGY`"))
        };
        let mut words = line.splitn(3, char::is_whitespace);
        let (seed, profile, strategy) = (words.next(), words.next().and_then(Profile::named), words.next());
        let (Some(seed), Some(profile), Some(strategy)) = (seed.and_then(|s| s.parse().ok()), profile, strategy) else {
            return Err(wrong(format!("found {line:?}")));
        };
        Ok(Try { seed, profile, subject: FuzzSubject::parse(strategy).map_err(|e| wrong(e.to_string()))? })
    });
    tries.collect()
}

fn subjects(text: &str) -> Result<Vec<FuzzSubject>, Failure> {
    let names: Vec<String> = match text {
        "all" => PRESETS
            .iter()
            .map(|p| p.name)
            .chain(GUARDED)
            .chain(WRITTEN)
            .chain(NEAR)
            .chain(COUNTED)
            .map(str::to_owned)
            .collect(),
        RANDOM => vec!["naive".into()],
        "broken" => BROKEN.iter().map(|b| b.name).chain(WRONG_COUNTERS).map(str::to_owned).collect(),
        text => crate::cli::settings::split_list(text),
    };
    let parsed = names.iter().map(|name| FuzzSubject::parse(name));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::usage(format!("not a strategy · --strategy · {e} · `loadgen list` lists them")))
}

fn profiles(text: &str) -> Result<Vec<Profile>, Failure> {
    if text == "all" {
        return Ok(PROFILES.to_vec());
    }
    let known = || Profile::names().collect::<Vec<_>>().join(", ");
    let one = |name: &str| {
        Profile::named(name.trim()).ok_or_else(|| {
            Failure::usage(format!("no such profile · --profile · found {name:?}, known: all, {}", known()))
        })
    };
    text.split(',').map(one).collect()
}
