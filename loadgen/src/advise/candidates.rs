//! What is tried: every preset with the values of its main knobs that keep the promise about stale answers.

use std::collections::BTreeSet;
use std::time::Duration;

use strategies::Spec;
use strategies::units::duration_text;

use super::ask::Ask;
use crate::exit::Failure;

/// A strategy that is tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The preset that it is a setting of.
    pub family: &'static str,
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

/// The share of the TTL that jitter adds by presets that have it.
const SPREAD: f64 = 0.1;
/// The knob that matters most, by family.
const MAIN_KNOBS: [(&str, &str); 10] = [
    ("singleflight", "poll"),
    ("lease", "poll"),
    ("swr", "stale"),
    ("swr per replica", "stale"),
    ("xfetch", "beta"),
    ("ahead", "theta"),
    ("jitter", "spread"),
    ("apee-lrm", "window"),
    ("stack", "stale"),
    ("best", "beta"),
];

impl Candidates {
    /// Everything for these numbers; `reduced` to one setting of each preset.
    ///
    /// # Errors
    /// [`Failure`] where the numbers make no strategy.
    pub fn of(ask: &Ask, reduced: bool) -> Result<Self, Failure> {
        let windows = windows(ask.max_stale);
        let mut all = Self::default();
        all.family("naive", ["naive"])?;
        all.family("coalesce", ["coalesce"])?;
        all.family(
            "singleflight",
            ["", "(poll=10ms)", "(poll=200ms)", "(wake=notify)"].map(|args| format!("singleflight{args}")),
        )?;
        all.family("lease", ["", "(poll=10ms)", "(wake=notify)"].map(|args| format!("plain + lease{args}")))?;
        if windows.is_empty() {
            all.left_out.push("swr and stack: nothing may be served past its TTL (--max-stale 0s)".into());
        } else {
            all.family("swr per replica", windows.iter().map(|w| format!("swr(stale={w}) + coalesce")))?;
            all.family("swr", windows.iter().map(|w| format!("swr(stale={w})")))?;
        }
        let late = windows.first().map(|window| format!(", stale={window}")).unwrap_or_default();
        let early = |name: &str, settings: &[&str]| -> Vec<String> {
            let own = settings.iter().map(|setting| format!("{name}({setting})"));
            let also_late =
                settings.iter().filter(|_| !late.is_empty()).map(|setting| format!("{name}({setting}{late})"));
            own.chain(also_late).collect()
        };
        all.family("xfetch", early("xfetch", &["beta=1", "beta=0.5", "beta=2", "beta=4"]))?;
        all.family("ahead", early("ahead", &["theta=0.9", "theta=0.5", "theta=0.7", "theta=0.8", "theta=0.95"]))?;
        let apee = ["window=0.2T", "window=0.1T", "window=0.4T", "window=0.2T, probability=0.5"];
        all.family("apee-lrm", early("apee-lrm", &apee))?;
        all.jittered(ask)?;
        if reduced {
            all.tried.retain(|candidate| candidate.first);
        }
        Ok(all)
    }

    /// Jitter keeps values fresh beyond their TTL, so what it adds at most is of the same account as stale answers.
    fn jittered(&mut self, ask: &Ask) -> Result<(), Failure> {
        let (ttl, allowed) = (ask.ttl.as_secs_f64(), ask.max_stale.as_secs_f64());
        let spreads: Vec<f64> = [0.2, 0.1, 0.5, 1.0].into_iter().filter(|spread| spread * ttl <= allowed).collect();
        let least = (allowed / ttl * 100.0).floor() / 100.0;
        let spreads = if spreads.is_empty() && least > 0.0 { vec![least] } else { spreads };
        if spreads.is_empty() {
            self.left_out.push(
                "jitter: it keeps values past their TTL, and --max-stale leaves no room for a hundredth of it".into(),
            );
        } else {
            self.family("jitter", spreads.iter().map(|spread| format!("jitter({spread})")))?;
        }
        let spread = if SPREAD * ttl < allowed / 2.0 { SPREAD } else { 0.0 };
        let stale = whole_ms(ask.max_stale.saturating_sub(ask.ttl.mul_f64(spread)));
        let window = duration_text(stale);
        let presets = spread > 0.0;
        if !stale.is_zero() {
            let half = duration_text(whole_ms(stale / 2));
            let windows = [&window, &half].into_iter().filter(|window| *window != "0s");
            let text = |window: &String| {
                if presets {
                    format!("stack(stale={window}, spread={spread})")
                } else {
                    format!("swr(stale={window}) + coalesce + lease")
                }
            };
            self.family("stack", windows.map(text))?;
        }
        // Without room for jitter it is the same without.
        let text = |beta: &str| {
            if presets {
                format!("best(beta={beta}, stale={window}, spread={spread})")
            } else {
                format!("xfetch(beta={beta}, stale={window}) + coalesce + lease(wake=notify)")
            }
        };
        self.family("best", ["1", "0.5", "2", "4"].map(text))
    }

    fn family(
        &mut self,
        family: &'static str,
        texts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Failure> {
        let known: BTreeSet<String> =
            self.tried.iter().map(|candidate| candidate.spec.canonical().to_owned()).collect();
        for (at, text) in texts.into_iter().enumerate() {
            let spec = Spec::parse(text.as_ref());
            let spec = spec.map_err(|e| {
                Failure::usage(format!("no strategy for these numbers · --max-stale · {e} · change it"))
            })?;
            if !known.contains(spec.canonical()) {
                self.tried.push(Candidate { family, spec, first: at == 0 });
            }
        }
        Ok(())
    }
}

/// The stale windows that are tried, the widest first.
fn windows(max_stale: Duration) -> Vec<String> {
    let parts = [max_stale, max_stale / 2, max_stale / 4].map(whole_ms);
    let mut windows: Vec<Duration> = parts.into_iter().filter(|part| !part.is_zero()).collect();
    windows.dedup();
    windows.into_iter().map(duration_text).collect()
}

fn whole_ms(length: Duration) -> Duration {
    Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

/// How many parts of a strategy can be got wrong: what "simplest" means. Per process: coalescing 1, jitter 1, a policy that
/// refreshes early or serves stale 2, a stale window beside an early refresh 1. Per fleet: a lock 2, a lease 3, waking by
/// message 1.
#[must_use]
pub fn parts(spec: &Spec) -> u32 {
    let layers: u32 = spec
        .layers()
        .iter()
        .map(|layer| match layer.name {
            "coalesce" | "jitter" | "negative" => 1,
            "swr" | "xfetch" | "ahead" | "soft-window" | "lock" => 2,
            "lease" => 3,
            _ => 0,
        })
        .sum();
    let text = spec.canonical();
    let both = text.contains("stale=") && !text.contains("stale=0s") && !text.starts_with("swr");
    layers + u32::from(both) + u32::from(text.contains("wake=notify"))
}

/// The main knob of a family, and the settings of a candidate at a quarter to four times its value.
#[must_use]
pub fn neighbours(ask: &Ask, candidate: &Candidate) -> Option<(&'static str, Vec<(String, Candidate)>)> {
    let (_, knob) = MAIN_KNOBS.iter().find(|(family, _)| *family == candidate.family)?;
    let layer = candidate.spec.layers().into_iter().find(|layer| layer.params.iter().any(|p| p.name == *knob))?;
    let values: Vec<String> = match *knob {
        "beta" => ["0.25", "0.5", "1", "2", "4"].map(str::to_owned).into(),
        "theta" => ["0.5", "0.7", "0.8", "0.9", "0.95"].map(str::to_owned).into(),
        "poll" => ["5ms", "10ms", "50ms", "200ms", "500ms"].map(str::to_owned).into(),
        "window" => ["0.05T", "0.1T", "0.2T", "0.4T"].map(str::to_owned).into(),
        "spread" => {
            let most = ask.max_stale.as_secs_f64() / ask.ttl.as_secs_f64();
            [0.05, 0.1, 0.2, 0.5, 1.0].iter().filter(|spread| **spread <= most).map(f64::to_string).collect()
        }
        _ => {
            let parts = [8, 4, 2, 1].map(|part| whole_ms(ask.max_stale / part));
            parts.into_iter().filter(|part| !part.is_zero()).map(duration_text).collect()
        }
    };
    let with = |value: String| {
        let spec = candidate.spec.with_param(layer.name, knob, &value).ok()?;
        Some((value, Candidate { spec, ..candidate.clone() }))
    };
    Some((knob, values.into_iter().filter_map(with).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
