//! What is tried: every preset of the catalogue with the values of its main knobs, as far as that keeps the promise about
//! stale answers and its lock outlasts a read.

use std::collections::BTreeSet;
use std::time::Duration;

use strategies::spec::{LayerInfo, PRESETS};
use strategies::units::duration_text;
use strategies::{LEASE_MARGIN, Spec};

use super::ask::{Question, slowest};
use super::numbers::whole_ms;
use super::origin::places;
use super::scale::Scale;
use crate::shell::exit::Failure;

/// A strategy that is tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The preset that it is a setting of.
    pub family: String,
    /// Itself.
    pub spec: Spec,
    /// Whether it is its family's first: the preset as it is, as far as that keeps the promise.
    pub first: bool,
}

/// Everything that is tried, and why something is not.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// What is tried, family by family.
    pub tried: Vec<Candidate>,
    /// What is not, in words.
    pub left_out: Vec<String>,
}

/// Compositions that people ask for and that are no presets.
const COMPOSED: [(&str, &str); 2] = [("swr per replica", "swr + coalesce"), ("lease", "plain + lease")];

/// A parameter, and what it is turned to.
type Knob = (&'static str, &'static [&'static str]);

/// What a layer's parameters are turned to; the first is its main knob. A preset is turned at the first of its layers that is
/// here, for what is behind a policy matters to those who wait, and under a policy that works nobody does.
const KNOBS: [(&str, &[Knob]); 7] = [
    ("swr", &[("stale", &[])]),
    ("xfetch", &[("beta", &["0.5", "1", "2", "4"])]),
    ("ahead", &[("theta", &["0.5", "0.7", "0.8", "0.9", "0.95"])]),
    ("soft-window", &[("window", &["0.1T", "0.2T", "0.4T"]), ("probability", &["0.5"])]),
    ("jitter", &[("spread", &["0.05", "0.1", "0.2", "0.5", "1"])]),
    ("lock", &[("poll", &["10ms", "50ms", "200ms"]), ("wake", &["notify"]), ("lease", &["2s", "5s"])]),
    ("lease", &[("poll", &["10ms", "50ms", "200ms"]), ("wake", &["notify"])]),
];

/// Spreads that are tried where a preset's own is too wide; the last takes the layer out of play.
const SPREADS: [&str; 5] = ["0.1", "0.05", "0.02", "0.01", "0"];

/// Why nothing is tried behind a limit or a breaker.
const NOT_SAMPLED: &str =
    "limit and breaker: they count the reads of a replica, of which a sample of the keys makes only a part";

impl Candidates {
    /// Everything for these numbers and an origin of this capacity; `reduced` to one setting of each preset. Of a `sampled` load each
    /// replica makes only a part of its reads, so a layer that counts them is left out.
    ///
    /// # Errors
    /// [`Failure`] where the numbers make no strategy.
    pub fn of(ask: &Question, capacity: f64, reduced: bool, sampled: bool) -> Result<Self, Failure> {
        let mut all = Self::default();
        let mut known = BTreeSet::new();
        let presets = PRESETS.iter().map(|preset| (preset.name, preset.name));
        let guarded = guards(ask, capacity, "plain + lock");
        if sampled {
            all.left_out.push(NOT_SAMPLED.to_owned());
        }
        let guarded = guarded.iter().filter(|_| !sampled).map(|(family, text)| (family.as_str(), text.as_str()));
        for (family, text) in presets.chain(COMPOSED).chain(guarded) {
            let spec = Spec::parse(text).map_err(|e| Failure::failed(format!("{e}: a bug")))?;
            let Some(base) = within_promise(ask, &spec) else {
                let allowed = duration_text(ask.max_stale);
                all.left_out.push(format!("{family}: it keeps values past their TTL, and --max-stale is {allowed}"));
                continue;
            };
            let turned = if reduced { Vec::new() } else { turned(ask, &base) };
            for (at, spec) in std::iter::once(base).chain(turned).enumerate() {
                if !outlasts(ask, &spec) {
                    all.left_out.push(never_fills(ask, &spec));
                } else if known.insert(spec.canonical().to_owned()) {
                    all.tried.push(Candidate { family: family.to_owned(), spec, first: at == 0 });
                }
            }
        }
        Ok(all)
    }
}

/// A composition behind the layers that keep an origin from drowning: a family and a SPEC each. Of the origin's places each replica
/// may use its share, to the nearest whole one, and one at least.
fn guards(ask: &Question, capacity: f64, composition: &str) -> [(String, String); 2] {
    let share = f64::from(places(ask, capacity, &Scale::whole(ask.n))) / f64::from(ask.replicas.max(1));
    let limit = format!("limit(concurrency={})", share.round().max(1.0));
    let of = |word: &str, layer: &str| (format!("{composition} + {word}"), format!("{composition} + {layer}"));
    [of("limit", &limit), of("breaker", "breaker")]
}

/// A candidate behind those layers; none where it has one already.
#[must_use]
pub fn guarded(ask: &Question, capacity: f64, candidate: &Candidate) -> Vec<Candidate> {
    let spec = &candidate.spec;
    if spec.layers().iter().any(|layer| layer.name == "limit" || layer.name == "breaker") {
        return Vec::new();
    }
    // By its full composition: `xfetch + limit` is the layer xfetch and not the preset, which has a lock.
    let made = guards(ask, capacity, spec.canonical()).map(|(family, text)| {
        let spec = Spec::parse(&text).ok()?;
        Some(Candidate { family, spec, first: true })
    });
    made.into_iter().flatten().collect()
}

/// Whether nothing can be served later than was allowed.
fn keeps(ask: &Question, spec: &Spec) -> bool {
    spec.promise(ask.ttl).hard <= ask.ttl + ask.max_stale
}

/// A preset as it is where that keeps the promise; else with the widest spread that leaves half of what is allowed to stale
/// answers, and the widest stale window beside it. `None` where nothing is left of it.
fn within_promise(ask: &Question, preset: &Spec) -> Option<Spec> {
    if keeps(ask, preset) && !stale_layer(preset).is_some_and(|_| preset.promise(ask.ttl).serves_stale) {
        return Some(preset.clone());
    }
    let spreads = std::iter::once(Some(preset.clone()));
    let spreads = spreads.chain(SPREADS.iter().map(|spread| preset.with_param("jitter", "spread", spread).ok()));
    let spreads = spreads.flatten();
    if !preset.promise(ask.ttl).serves_stale {
        return spreads.filter(Spec::lengthens_ttl).find(|spec| keeps(ask, spec));
    }
    let layer = stale_layer(preset)?;
    // Of twenty parts of what is allowed as many as can be; fewer than ten only where there is no spread to give up.
    let parts = (10..=20).rev().map(|part| whole_ms(ask.max_stale * part / 20)).filter(|window| !window.is_zero());
    let windows: Vec<String> = parts.map(duration_text).collect();
    let with = |spec: Spec| windows.iter().filter_map(move |w| spec.with_param(layer.name, "stale", w).ok());
    let found = spreads.flat_map(with).find(|spec| keeps(ask, spec));
    found.filter(|spec| spec.promise(ask.ttl).serves_stale)
}

/// The policy that has a stale window, if one has.
fn stale_layer(spec: &Spec) -> Option<&'static LayerInfo> {
    spec.layers().into_iter().find(|layer| layer.params.iter().any(|param| param.name == "stale"))
}

/// The layer at which a strategy is turned, with its knobs.
fn knobs(spec: &Spec) -> Option<(&'static str, &'static [Knob])> {
    let turned = |layer: &LayerInfo| KNOBS.iter().find(|(name, _)| *name == layer.name).copied();
    spec.layers().into_iter().find_map(turned)
}

/// A knob's values for a strategy, and the strategies that they make: those that keep the promise.
fn values(ask: &Question, spec: &Spec, layer: &str, param: &str, table: &[&str]) -> Vec<(String, Spec)> {
    let windows = [8, 4, 2, 1].map(|part| whole_ms(ask.max_stale / part)).into_iter().filter(|w| !w.is_zero());
    let texts: Vec<String> = match param {
        "stale" => windows.map(duration_text).collect(),
        _ => table.iter().map(|value| (*value).to_owned()).collect(),
    };
    let with = |value: String| Some((spec.with_param(layer, param, &value).ok()?, value));
    let made = texts.into_iter().filter_map(with);
    made.filter(|(spec, _)| keeps(ask, spec)).map(|(spec, value)| (value, spec)).collect()
}

/// A preset with its knobs turned, one at a time; an early refresh also with a stale window, should that come too late.
fn turned(ask: &Question, base: &Spec) -> Vec<Spec> {
    let Some((layer, knobs)) = knobs(base) else { return Vec::new() };
    let own = knobs.iter().flat_map(|(param, table)| values(ask, base, layer, param, table)).map(|(_, spec)| spec);
    let own: Vec<Spec> = own.collect();
    let early = stale_layer(base).is_some_and(|policy| policy.name == layer) && !base.promise(ask.ttl).serves_stale;
    let window = duration_text(whole_ms(ask.max_stale));
    let late = |spec: &Spec| spec.with_param(layer, "stale", &window).ok().filter(|spec| early && keeps(ask, spec));
    let also_late: Vec<Spec> = std::iter::once(base).chain(&own).filter_map(late).collect();
    own.into_iter().chain(also_late).collect()
}

/// How long a read may take under a lock of fixed life.
fn holds_for(ask: &Question, spec: &Spec) -> Option<Duration> {
    let promise = spec.clone().fitted(&scenarios::budgets_for(&ask.service)).promise(ask.ttl);
    promise.lock_age.filter(|_| !promise.fenced).map(|age| age.saturating_sub(LEASE_MARGIN))
}

/// Whether its lock, if it has one, is held for longer than the slowest read takes: else the holder gives up before, and a
/// key whose reads are slow is never filled.
fn outlasts(ask: &Question, spec: &Spec) -> bool {
    holds_for(ask, spec).is_none_or(|held| held > slowest(&ask.service))
}

fn never_fills(ask: &Question, spec: &Spec) -> String {
    format!(
        "{}: its holder gives up after {}, {} before the lock ends, and a read takes up to {}: it would never fill",
        spec.name(),
        duration_text(holds_for(ask, spec).unwrap_or_default()),
        duration_text(LEASE_MARGIN),
        duration_text(whole_ms(slowest(&ask.service)))
    )
}

/// What is to be known of a fixed lock's life; `None` where the strategy has none.
#[must_use]
pub fn lock_in_words(ask: &Question, spec: &Spec) -> Option<String> {
    let held = holds_for(ask, spec)?;
    let (life, margin) = (duration_text(held + LEASE_MARGIN), duration_text(LEASE_MARGIN));
    let least = duration_text(whole_ms(slowest(&ask.service) + LEASE_MARGIN));
    Some(format!(
        "its lock lives {life}. It must live longer than {least} here (the slowest read and {margin}), or it never fills; and a holder that \
         dies blocks its key for what is left. `lease` instead of `lock` needs no such guess"
    ))
}

/// How many parts of a strategy can be got wrong: what "simplest" means. Per process: coalescing 1, jitter 1, a policy that
/// refreshes early or serves stale 2, a stale window beside an early refresh 1. Per fleet: a lock 2, a lease 3, waking by
/// message 1. A layer that is not known here (a limit, a breaker) counts 1.
#[must_use]
pub fn parts(spec: &Spec) -> u32 {
    let layers: u32 = spec
        .layers()
        .iter()
        .map(|layer| match layer.name {
            "plain" | "bare" => 0,
            "swr" | "xfetch" | "ahead" | "soft-window" | "lock" => 2,
            "lease" => 3,
            _ => 1,
        })
        .sum();
    let text = spec.canonical();
    let both = text.contains("stale=") && !text.contains("stale=0s") && !text.starts_with("swr");
    layers + u32::from(both) + u32::from(text.contains("wake=notify"))
}

/// The main knob of a candidate, and the candidate at each of its values.
#[must_use]
pub fn neighbours(ask: &Question, candidate: &Candidate) -> Option<(&'static str, Vec<(String, Candidate)>)> {
    let (layer, knobs) = knobs(&candidate.spec)?;
    let (param, table) = knobs.first()?;
    let with = |(value, spec): (String, Spec)| (value, Candidate { spec, ..candidate.clone() });
    Some((param, values(ask, &candidate.spec, layer, param, table).into_iter().map(with).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{AdviseArgs, Cli, Command};
    use clap::Parser as _;

    fn ask(ttl: &str, service: &str, max_stale: &str) -> Question {
        let line = ["loadgen", "advise", "--rate", "40/s", "--keys", "single", "--origin-capacity", "5/s"];
        let own = ["--ttl", ttl, "--service-time", service, "--max-stale", max_stale];
        let Some(Command::Advise(args)) = Cli::try_parse_from(line.into_iter().chain(own)).unwrap().command else {
            panic!("not advise");
        };
        let args: AdviseArgs = *args;
        Question::of(&args).unwrap()
    }

    #[test]
    fn every_preset_is_tried_and_none_can_be_staler_than_allowed() {
        for (ttl, max_stale) in [("5s", "2s"), ("60s", "1s"), ("1s", "1h"), ("5s", "300ms")] {
            let ask = ask(ttl, "200ms", max_stale);
            let all = Candidates::of(&ask, ask.capacity, false, false).unwrap();
            for preset in PRESETS {
                let first = all.tried.iter().find(|c| c.family == preset.name && c.first);
                assert!(first.is_some(), "{} for {ttl}, {max_stale}: {:?}", preset.name, all.left_out);
            }
            for candidate in &all.tried {
                let spec = &candidate.spec;
                assert!(keeps(&ask, spec), "{} for {ttl}, {max_stale}", spec.canonical());
                assert_eq!(Spec::parse(spec.name()).unwrap().canonical(), spec.canonical());
            }
        }
    }

    #[test]
    fn without_leave_nothing_that_is_stale_or_lives_longer() {
        let all = Candidates::of(&ask("5s", "200ms", "0s"), 5.0, false, false).unwrap();
        for family in ["swr", "jitter", "stack", "best", "swr per replica"] {
            assert!(all.tried.iter().all(|c| c.family != family), "{family}");
            assert!(
                all.left_out.iter().any(|text| text.starts_with(&format!("{family}: it keeps values"))),
                "{family}"
            );
        }
        for candidate in &all.tried {
            let promise = candidate.spec.promise(Duration::from_secs(5));
            assert!(!promise.serves_stale && !candidate.spec.lengthens_ttl(), "{}", candidate.spec.canonical());
        }
    }

    #[test]
    fn a_lock_that_ends_before_its_read_is_not_tried_and_that_is_said() {
        let tried = |service| {
            let all = Candidates::of(&ask("5s", service, "2s"), 5.0, false, false).unwrap();
            let has = all.tried.iter().any(|c| c.spec.name() == "singleflight(lease=2s)");
            (has, all.left_out.join("\n"))
        };
        assert_eq!(tried("1s"), (true, String::new()));
        let (has, left_out) = tried("2s");
        assert!(!has);
        let said = "singleflight(lease=2s): its holder gives up after 1500ms, 500ms before the lock ends, and a read takes up to 2s";
        assert!(left_out.contains(said), "{left_out}");
        // The margin itself: a read of 1.5 s ends when its holder gives up.
        assert!(!tried("1500ms").0);
        // One read in a thousand of this law takes more than 1.5 s.
        assert!(!tried("lognormal:200ms,1s").0);
    }

    #[test]
    fn the_simplest_has_the_fewest_parts() {
        let order = [
            "naive",
            "coalesce",
            "singleflight",
            "swr(stale=1s) + coalesce",
            "swr",
            "xfetch(stale=1s)",
            "stack",
            "best",
        ];
        let parts: Vec<u32> = order.iter().map(|text| parts(&Spec::parse(text).unwrap())).collect();
        assert_eq!(parts, [0, 1, 2, 3, 4, 5, 7, 9]);
    }
}
