//! Recorded traffic instead of a rate and a law: what is asked of the answer's trace, and the part of it that a simulated day takes.
//!
//! Every request of a day is simulated, and none stands for others: a trace has no scale. A day takes the trace's beginning (after `--from`),
//! as much of it as it needs; twice the load is the same requests in half the time.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{KeyAsks, KeyKind, Keys, RecordedTrace, ReplayedOps, SizeLaw, TraceFound, TraceSettings};
use strategies::units::duration_text;

use super::population::Population;
use crate::cli::AdviseArgs;
use crate::load::replay::open_trace;
use crate::shell::exit::Failure;

/// Recorded traffic.
#[derive(Debug, Clone)]
pub struct AskedTrace {
    settings: TraceSettings,
    found: TraceFound,
    /// The key that is asked for most, as a number.
    pub hottest: u32,
    /// How often each is asked for.
    pub population: Population,
}

impl AskedTrace {
    /// That of a command line, if it names a trace.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong with it, at its flag.
    pub fn of(
        args: &AdviseArgs,
        moment: impl Fn(&str, &str) -> Result<Duration, Failure>,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = args.trace.clone() else { return Ok(None) };
        let from = args.from.as_deref().map(|text| moment("--from", text)).transpose()?.unwrap_or_default();
        let to = args.to.as_deref().map(|text| moment("--to", text)).transpose()?;
        // What is advised is how to read.
        let (format, speed, ops) = (None, 1.0, ReplayedOps::Reads);
        let settings =
            TraceSettings { path, format, key: args.key.clone(), speed, from, to, ops, asks: KeyAsks::default() };
        let refused =
            |why: String| Failure::usage(format!("no traffic to advise for · --trace {} · {why}", settings.path));
        let trace = open_trace(&settings).map_err(refused)?;
        let (found, counts) = (trace.found(), counted(&trace));
        if let Some(why) = trace.fault() {
            return Err(Failure::failed(why));
        }
        let most = counts.iter().max().copied().unwrap_or(0);
        let hottest = counts.iter().position(|count| *count == most).map_or(1, |at| at as u32 + 1);
        let population = Population::counted(&counts);
        Ok(Some(Self { settings, found, hottest, population }))
    }

    /// Requests a second, in the mean.
    #[must_use]
    pub fn per_s(&self) -> f64 {
        self.found.requests as f64 / self.found.length.as_secs_f64()
    }

    /// The keys that they ask for.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::alike(KeyKind::Traced, self.found.keys, SizeLaw::Constant(256))
    }

    /// What it is, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let TraceFound { requests, keys, length, .. } = self.found;
        let TraceSettings { path, from, .. } = &self.settings;
        let from = if from.is_zero() { String::new() } else { format!(" from {} on", duration_text(*from)) };
        format!("{keys} keys as {path}{from} has them ({requests} reads in {})", duration_text(length))
    }

    /// How long it lasts at so many times its speed.
    #[must_use]
    pub fn lasts(&self, speed: u32) -> Duration {
        self.found.length / speed
    }

    /// The fields of a scenario of so much time at so many times its speed, each with what it was typed as.
    #[must_use]
    pub fn fields(&self, speed: u32, time: Duration) -> Vec<(&'static str, String, String)> {
        let TraceSettings { path, key, from, .. } = &self.settings;
        let typed = format!("--trace {path}");
        let to = duration_text(*from + time * speed);
        let mut fields = vec![
            ("load.trace", format!("{path:?}")),
            ("load.ops", "reads".to_owned()),
            ("load.speed", speed.to_string()),
            ("load.from", duration_text(*from)),
            ("load.to", to),
        ];
        fields.extend(key.as_ref().map(|key| ("load.key", format!("{key:?}"))));
        fields.into_iter().map(|(field, value)| (field, value, typed.clone())).collect()
    }

    /// Whether it is long enough for a day that warms up so long and measures so long at least, and one that costs so many units of at
    /// most so many.
    ///
    /// # Errors
    /// [`Failure`] where it is not.
    pub fn check(&self, (warmup, few): (Duration, Duration), (cost, most): (f64, f64)) -> Result<(), Failure> {
        let (path, lasts, needed) = (&self.settings.path, self.found.length, warmup + few);
        if lasts < needed {
            let [lasts, warmup, few] = [lasts, warmup, few].map(duration_text);
            return Err(Failure::usage(format!(
                "too short a trace · --trace {path} · found {lasts}, needed {warmup} to warm up and {few} to measure · take more of it, or \
                 describe the traffic: loadgen trace summary finds --rate and --keys"
            )));
        }
        if cost > most {
            let share = most / cost * 100.0;
            return Err(Failure::usage(format!(
                "too much traffic to simulate request by request · --trace {path} · found {:.0} reads/s for {}, of which the budget bears \
                 {share:.0} % · take a part of its keys with --key, or describe the traffic: loadgen trace summary finds --rate and --keys",
                self.per_s(),
                duration_text(needed)
            )));
        }
        Ok(())
    }
}

/// How many requests each key has, by number.
fn counted(trace: &Arc<dyn RecordedTrace>) -> Vec<u32> {
    let mut counts = vec![0_u32; trace.found().keys as usize];
    for request in trace.rows() {
        if let Some(count) = counts.get_mut((request.key as usize).saturating_sub(1)) {
            *count = count.saturating_add(1);
        }
    }
    counts
}
