//! Numbers and facts in words: one place, so that a chart, a table and a page never say the same thing differently.

use crate::record::{CounterFigures, Recovery, Run, Strategy};
use crate::text::escape;

/// What the lab set its own server up with.
pub(crate) fn cache_settings(run: &Run) -> String {
    let set: Vec<String> = run.cache_settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if set.is_empty() { "nothing".to_owned() } else { set.join(", ") }
}

/// What stands for a number that is unknown.
pub(crate) const UNKNOWN: &str = "–";
/// Characters of a strategy's name where it is one of several.
pub(crate) const NAME_LIMIT: usize = 28;
/// What stands for a moment that did not come.
const NEVER: &str = "NEVER";

/// Milliseconds with about three significant digits and no unit: `0.42`, `8.3`, `223`.
pub(crate) fn ms(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => UNKNOWN.to_owned(),
        Some(value) if value < 1.0 => format!("{value:.2}"),
        Some(value) if value < 99.95 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

/// Milliseconds with the unit, or `unknown`.
pub(crate) fn ms_with_unit(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{} ms", ms(Some(value))))
}

/// A share of requests: `3.1%`; `<0.1%` is not nothing.
pub(crate) fn share(part: Option<f64>) -> String {
    match part.filter(|part| part.is_finite()) {
        None => UNKNOWN.to_owned(),
        Some(part) if part > 0.0 && part < 0.0005 => "<0.1%".to_owned(),
        Some(part) => format!("{:.1}%", part * 100.0),
    }
}

/// Seconds after the last fault was over until no request failed or waited too long any more: the rule of `docs/faults.md`.
pub(crate) fn well_after(recovery: Recovery) -> String {
    match recovery.after_s {
        None => "not yet".to_owned(),
        Some(after) if after >= 0.05 => format!("{after:.1} s"),
        Some(_) => "0 s".to_owned(),
    }
}

/// Seconds after the last fault was over until requests were answered as before it: the rule of `docs/metastable.md`.
pub(crate) fn recovered_after(recovery: Recovery) -> String {
    match recovery.recovered {
        Some(false) => NEVER.to_owned(),
        Some(true) => recovery.recovered_after_s.map_or_else(|| UNKNOWN.to_owned(), |after| format!("{after:.0} s")),
        None => UNKNOWN.to_owned(),
    }
}

/// Whether the two rules say different things of somebody. Both are known to a second.
pub(crate) fn two_rules<'a>(mut strategies: impl Iterator<Item = &'a Strategy>) -> bool {
    strategies.any(|strategy| {
        strategy.recovery.is_some_and(|recovery| match recovery.recovered {
            Some(true) => {
                let both = recovery.recovered_after_s.zip(recovery.after_s);
                both.is_none_or(|(recovered, well)| (recovered - well).abs() > 1.0)
            }
            Some(false) => true,
            None => false,
        })
    })
}

/// What the figures of a run with events are held against.
const FLOOR: &str = "The floor is that of a cache that no event empties.";

/// What the columns about faults are; nothing where there are none. `repeats`: whether the figures are medians.
pub(crate) fn fault_legend<'a>(
    strategies: impl Iterator<Item = &'a Strategy> + Clone,
    repeats: bool,
) -> Option<String> {
    strategies.clone().find(|strategy| strategy.recovery.is_some())?;
    let trouble = "In trouble: seconds in which a request failed or waited too long; well after: from the end of the last \
                   event until none did any more";
    if !two_rules(strategies.clone()) {
        return Some(format!("{trouble}. {FLOOR}"));
    }
    let mut recoveries = strategies.filter_map(|strategy| strategy.recovery);
    let unsaid = recoveries.any(|recovery| recovery.recovered.is_none());
    let unsaid = if unsaid {
        format!("; {UNKNOWN}: too little was measured before or after the events to say")
    } else {
        String::new()
    };
    let never = if repeats { format!("; {NEVER}: in one run at least") } else { String::new() };
    Some(format!(
        "{trouble}; recovered after: until nearly as many were answered well as before, and the origin is read hardly more than \
         before or than it must be (docs/metastable.md){unsaid}{never}. {FLOOR}"
    ))
}

/// A whole number of milliseconds as an age: `840 ms`, `1.6 s`, rounded up, as it is a bound.
pub(crate) fn age(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms.div_ceil(100) / 10, ms.div_ceil(100) % 10) }
}

/// Share of requests that waited for an origin read: outcomes wait and load. Unknown where any answer is.
pub(crate) fn waiting_share(strategy: &Strategy) -> Option<f64> {
    let sent = strategy.outcomes.sum();
    (sent > 0 && strategy.outcomes.unknown == 0)
        .then(|| (strategy.outcomes.wait + strategy.outcomes.load) as f64 / sent as f64)
}

/// Share of requests that failed or were shed.
pub(crate) fn failed_share(strategy: &Strategy) -> f64 {
    let sent = strategy.outcomes.sum().max(1);
    (strategy.outcomes.error + strategy.outcomes.shed) as f64 / sent as f64
}

/// A strategy that failed or shed at least this share of its requests was cheap at their expense.
pub(crate) const FAILED_MIN: f64 = 0.01;

/// Whether a strategy is one of those that show a mistake: what they break is no figure, so none of their figures is a merit.
pub(crate) fn wrong_on_purpose(strategy: &Strategy) -> bool {
    strategy.spec.starts_with("WRONG ON PURPOSE")
}

/// `, 61.4% failed`, where that is a share that the other figures must be held against.
pub(crate) fn failed(strategy: &Strategy, before: &str) -> String {
    let failed = failed_share(strategy);
    if failed < FAILED_MIN { String::new() } else { format!("{before}{} failed", share(Some(failed))) }
}

/// So many requests must lie beyond a percentile before it is compared.
const BEYOND_MIN: f64 = 10.0;

/// Whether enough requests lie beyond a percentile (0 to 1) for it to be more than one request's luck.
pub(crate) fn carries(strategy: &Strategy, percentile: f64) -> bool {
    strategy.requests as f64 * (1.0 - percentile) >= BEYOND_MIN
}

/// Origin reads as a multiple of the floor: `6.2`.
pub(crate) fn times_floor(strategy: &Strategy) -> Option<f64> {
    let origin = strategy.origin.as_ref()?;
    origin.floor.filter(|floor| *floor > 0).map(|floor| origin.total as f64 / floor as f64)
}

/// What stands where a chart or a figure would need the origin's ledger.
pub(crate) const NO_LEDGER: &str = "no ledger: origin reads are not known";

/// Whether no strategy that was run has a ledger, or none read anything: whatever is about origin reads is then left out.
pub(crate) fn without_ledger(run: &Run) -> bool {
    let unread = |strategy: &Strategy| strategy.origin.is_none() || strategy.counters.is_some();
    !run.strategies.is_empty() && run.strategies.iter().all(unread)
}

/// `689 origin reads · max 61 in any second · p99 223 ms`, and what failed where that is much.
pub(crate) fn figures(strategy: &Strategy) -> String {
    let (p99, failed) = (ms_with_unit(strategy.latency_ms.p99), failed(strategy, " · "));
    if let Some(wrong) = counters_in_brief(strategy) {
        return format!("{} increments · {wrong} · p99 {p99}{failed}", strategy.requests);
    }
    match &strategy.origin {
        Some(origin) => {
            let behind = strategy.behind.as_ref().and_then(|behind| behind.share);
            let behind = behind.map(|part| format!(" · {} behind a commit", share(Some(part)))).unwrap_or_default();
            format!(
                "{} origin reads · max {} in any second{behind} · p99 {p99}{failed}",
                origin.total, origin.max_per_second
            )
        }
        None => format!("{NO_LEDGER} · p99 {p99}{failed}"),
    }
}

/// What was wrong with a strategy's counters, for a chart's line; `None` where it did not count.
fn counters_in_brief(strategy: &Strategy) -> Option<String> {
    let faults = counter_faults(strategy.counters.as_ref()?);
    Some(if faults.is_empty() { "no count lost, no key without an end".to_owned() } else { faults })
}

/// `20 keys without an end, 84 counts lost`.
pub(crate) fn counter_faults(counters: &CounterFigures) -> String {
    let CounterFigures { immortal_max, lost, above_limit, .. } = counters;
    let faults = [
        (immortal_max, "key without an end", "keys without an end"),
        (lost, "count lost", "counts lost"),
        (above_limit, "let through above the limit", "let through above the limit"),
    ];
    let said = faults
        .into_iter()
        .filter_map(|(figure, one, more)| figure.filter(|count| *count > 0).map(|count| counted(count, one, more)));
    said.collect::<Vec<_>>().join(", ")
}

/// `24000 requests · p50 0.42 ms · p99 223 ms · max 1204 ms · 3 errors`: what can be said without a ledger.
pub(crate) fn response_figures(strategy: &Strategy) -> String {
    let latency = &strategy.latency_ms;
    let [p50, p99, max] = [latency.p50, latency.p99, latency.max].map(ms_with_unit);
    format!("{} requests · p50 {p50} · p99 {p99} · max {max} · {} errors", strategy.requests, strategy.errors)
}

/// `hotkey · local lab · redis 7.0.15 · 3 replicas · TTL 5 s · origin 200 ms a read · 60 s measured`.
pub(crate) fn setting(run: &Run) -> String {
    if run.lab == "target" {
        return target_setting(run);
    }
    let replicas = if run.replicas == 1 { "1 replica".to_owned() } else { format!("{} replicas", run.replicas) };
    let ttl = seconds(run.ttl_s);
    format!(
        "{} · {} lab · {} · {replicas} · TTL {ttl} · origin {} a read · {} measured",
        run.scenario,
        run.lab,
        run.cache,
        seconds(run.service_time_s),
        seconds(run.duration_s)
    )
}

/// The same of a foreign target, whose TTL and origin are its own affair: what the scenario says of them is not repeated
/// as a fact, but for the service time of an origin whose ledger was read.
fn target_setting(run: &Run) -> String {
    let addresses = if run.replicas == 1 { "1 address".to_owned() } else { format!("{} addresses", run.replicas) };
    let cache = if run.cache.is_empty() { "cache unknown" } else { &run.cache };
    let origin = if without_ledger(run) {
        "no ledger of the origin".to_owned()
    } else if run.foreign_origin {
        "its own origin, counted by a proxy".to_owned()
    } else {
        format!("origin {} a read", seconds(run.service_time_s))
    };
    let measured = seconds(run.duration_s);
    format!("{} · foreign target · {cache} · {addresses} · {origin} · {measured} measured", run.scenario)
}

/// How long an origin read takes, where the lab set that.
pub(crate) fn service_time(run: &Run) -> String {
    if run.foreign_origin { UNKNOWN.to_owned() } else { seconds(run.service_time_s) }
}

/// The machine in a few words: `AMD EPYC, 2 cores, x86_64, linux 6.1.0`.
pub(crate) fn machine(run: &Run) -> String {
    let environment = &run.environment;
    if environment.cores == 0 {
        return "none: virtual time".to_owned();
    }
    let cpu = environment.cpu.as_deref().unwrap_or("processor unknown");
    format!("{cpu}, {} cores, {}, {}", environment.cores, environment.arch, environment.os)
}

/// Seconds without needless digits: `60 s`, `200 ms`.
pub(crate) fn seconds(value: f64) -> String {
    if value > 0.0 && value < 1.0 { format!("{} ms", round3(value * 1000.0)) } else { format!("{} s", round3(value)) }
}

fn round3(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// How often: `once`, `3 times`.
pub(crate) fn times(count: u64) -> String {
    match count {
        0 => "not once".to_owned(),
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}

/// So many of something: `1 herd`, `3 herds`, `no herd`.
pub(crate) fn counted(count: u64, one: &str, more: &str) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    }
}

/// Whether a client waits for its answer before it plans its next send. Whatever does not say so is an open loop.
pub(crate) fn closed_loop(run: &Run) -> bool {
    run.load.trim().to_ascii_lowercase().starts_with("closed")
}

/// The load as it stands, and what a closed loop means for the comparison.
pub(crate) fn load_caption(run: &Run) -> String {
    let load = run.load.trim();
    if !closed_loop(run) {
        return load.to_owned();
    }
    let in_flight = load.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
    let bound = in_flight.map_or_else(String::new, |n| format!("at most {n} requests can be in flight, "));
    format!("{load}: {bound}the arrivals are each strategy's own")
}

/// Why a strategy is invalid, in one line; never empty.
pub(crate) fn reasons(strategy: &Strategy) -> String {
    if strategy.invalid_because.is_empty() {
        return "no reason was recorded".to_owned();
    }
    strategy.invalid_because.join("; ")
}

/// At most `limit` characters, the last an ellipsis where some were cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// `712 B`, `40.1 KiB`, `1.2 MiB`: a mean number of bytes.
pub(crate) fn bytes(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    match bytes {
        few if few < KIB => format!("{few:.0} B"),
        some if some < KIB * KIB => format!("{:.1} KiB", some / KIB),
        many => format!("{:.1} MiB", many / (KIB * KIB)),
    }
}

/// At most `limit` characters, cut in the middle: compositions often differ at their ends only.
pub(crate) fn cut_in_middle(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(1);
    let tail = kept * 2 / 5;
    text.chars().take(kept - tail).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

/// A strategy's name as the table and the sentences have it.
pub(crate) fn name_of(name: &str) -> String {
    cut_in_middle(&escape::line(name), NAME_LIMIT)
}
