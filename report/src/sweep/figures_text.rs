//! A sweep's figures and settings in words.

use super::Sweep;
use crate::text::phrases::{ms, share};

/// A figure as people read it: shares in percent, times in milliseconds, counts with a digit where they are no whole
/// numbers, as means are.
#[must_use]
pub fn figure_text(metric: &str, value: f64) -> String {
    match metric {
        _ if is_share(metric) => share(Some(value)),
        _ if metric.contains("_ms") => ms(Some(value)),
        "cache_ops_per_request" => format!("{value:.3}"),
        _ if value.fract() == 0.0 || value >= 10_000.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

/// Whether a figure is a share, from 0 to 1.
pub(crate) fn is_share(metric: &str) -> bool {
    matches!(metric, "hit_ratio" | "stale.share" | "errors.share" | "shed.share" | "recovery.recovered")
}

/// Whether a figure is 0 or 1 in every run, so that its mean is a share of the runs.
#[must_use]
pub fn is_yes_or_no(metric: &str) -> bool {
    metric == "recovery.recovered"
}

/// What a figure is, for the head of a panel: its path, and in words what that counts.
pub(crate) fn title(metric: &str) -> String {
    let words = match metric {
        "origin.total" => "origin reads",
        "origin.max_per_second" => "most origin reads in any second",
        "origin.max_in_flight" => "most origin reads at once",
        "origin.per_expiry.mean" => "origin reads of the hot key per expiry",
        "hit_ratio" => "share of requests that did not wait",
        "stale.share" => "share of requests answered stale",
        "errors.share" => "share of requests that got no good answer",
        "shed.share" => "share of requests that were shed",
        "stale.overage_ms_max" => "longest past the TTL, ms",
        "cache_ops_per_request" => "cache operations per request",
        "recovery.recovered" => "share of runs that recovered",
        "recovery.recovered_after_s" => "until it had recovered, s",
        _ => match metric.strip_prefix("latency_ms.") {
            Some("max") => return format!("{metric} · longest response time, ms"),
            Some(percentile) => return format!("{metric} · response time, {}, ms", percentile.replace('_', ".")),
            None => return metric.to_owned(),
        },
    };
    format!("{metric} · {words}")
}

/// `sim lab · 3 replicas · 60s measured · 5 seeds from 42`.
pub(crate) fn setting(sweep: &Sweep) -> String {
    let count = |n: usize, one: &str, more: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {more}") };
    let replicas = count(sweep.replicas as usize, "replica", "replicas");
    let runs: u64 = sweep.points.iter().map(|point| u64::from(point.runs)).sum();
    let seeds = match sweep.seeds.as_slice() {
        seeds if !sweep.complete => format!("INCOMPLETE: {runs} of {} runs", sweep.points.len() * seeds.len()),
        [seed] => format!("seed {seed}"),
        seeds => format!("{} from {}", count(seeds.len(), "seed", "seeds"), seeds.first().copied().unwrap_or_default()),
    };
    let fixed = ["cache.ttl", "load.rate", "load.clients", "origin.service_time", "load.duration"];
    let fixed = fixed.into_iter().filter(|field| !sweep.knobs.iter().any(|knob| knob.name == *field));
    let ramps = sweep.settings.keys().any(|field| field.starts_with("load.ramp."));
    let fixed = fixed.filter_map(|field| {
        let then = if ramps && (field == "load.rate" || field == "load.clients") { " and ramps" } else { "" };
        Some(format!("{field} {}{then}", sweep.settings.get(field)?))
    });
    let of = [format!("{} lab", sweep.lab), replicas].into_iter().chain(fixed);
    let all =
        if sweep.complete { of.chain([seeds]).collect() } else { [seeds].into_iter().chain(of).collect::<Vec<_>>() };
    all.join(" · ")
}

/// `5 seeds`, `1 to 2 seeds`, `one seed`: what the points were run with.
pub(crate) fn seeds_run(sweep: &Sweep) -> String {
    match sweep.seeds_run() {
        (least, most) if least < most => format!("{least} to {most} seeds"),
        (1, _) => "one seed".to_owned(),
        (seeds, _) => format!("{seeds} seeds"),
    }
}
