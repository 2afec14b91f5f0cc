//! What was asked: the flags, read and checked, and what they say without any simulation.

use std::time::Duration;

use scenarios::{KeyKind, Keys, Law, Scenario, budgets_for};
use strategies::units::{DURATION, RATE, Unit, UnitFault, duration_text};

use super::numbers::{tidy, whole_ms};
use super::population::Population;
use super::traffic::AskedTrace;
use crate::cli::AdviseArgs;
use crate::cli::settings::{Override, named_by_flag};
use crate::shell::exit::Failure;
use crate::study::sweep::goal::Goal;

/// The fields of a scenario that `--keys` sets, with their values.
pub(super) type KeyFields = Vec<(&'static str, String)>;

/// A scenario of which only the keys are looked at.
const NO_MORE_THAN_KEYS: &str = "schema = 1\nname = \"advice\"\nsummary = \"Keys.\"\nstrategies = [\"naive\"]\n[load]\nrate = \"1/s\"\n\
                                 duration = \"1s\"\n[keys]\n[cache]\nttl = \"1s\"\n[origin]\nservice_time = \"1ms\"\n";

/// The shortest mean service time that is simulated.
const SHORTEST: Duration = Duration::from_millis(1);

/// Somebody's numbers.
#[derive(Debug, Clone)]
pub struct Question {
    /// Requests a second.
    pub rate: f64,
    /// What is asked for, as typed, or what a trace has.
    pub keys: String,
    /// How long a value is fresh.
    pub ttl: Duration,
    /// How long an origin read takes.
    pub service: Law,
    /// Origin reads a second.
    pub capacity: f64,
    /// How long past the TTL a value may be served.
    pub max_stale: Duration,
    /// Replicas that share the cache.
    pub replicas: u16,
    /// Whether one setting of each preset is enough.
    pub quick: bool,
    /// The first seed.
    pub seed: u64,
    /// The goal as typed.
    pub goal: Option<String>,
    /// How many keys.
    pub n: u32,
    /// How often each is asked for.
    pub population: Population,
    /// Origin reads a second of a perfect cache, [`Population::floor`].
    pub floor: f64,
    /// The same where every value is kept as long as it may be served: no strategy reads less.
    pub least: f64,
    /// The trace, where the traffic was recorded.
    pub traffic: Option<AskedTrace>,
    pub(super) keys_read: Keys,
    pub(super) fields: KeyFields,
}

impl Question {
    /// Reads the flags.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong, at its flag.
    pub fn of(args: &AdviseArgs) -> Result<Self, Failure> {
        let ttl = quantity("--ttl", &args.ttl, &DURATION)?;
        let traffic = AskedTrace::of(args, |flag, text| quantity(flag, text, &DURATION))?;
        let typed = args.keys.as_deref().unwrap_or("single");
        let keys_read = match &traffic {
            Some(traffic) => traffic.keys(),
            None => read_keys(typed, ttl)?,
        };
        let rate = match &traffic {
            Some(traffic) => traffic.per_s(),
            None => positive("--rate", args.rate.as_deref().unwrap_or_default(), &RATE)?,
        };
        let mut ask = Self {
            rate,
            keys: traffic.as_ref().map_or_else(|| typed.to_owned(), AskedTrace::in_words),
            ttl,
            service: law(&args.service_time)?,
            capacity: positive("--origin-capacity", &args.origin_capacity, &RATE)?,
            max_stale: quantity("--max-stale", &args.max_stale, &DURATION)?,
            replicas: args.replicas,
            quick: args.quick,
            seed: args.seed,
            goal: args.goal.clone(),
            n: keys_read.n,
            floor: 0.0,
            least: 0.0,
            population: traffic.as_ref().map_or_else(|| Population::of(&keys_read), |of| of.population.clone()),
            keys_read,
            fields: if traffic.is_some() { Vec::new() } else { key_fields(typed)? },
            traffic,
        };
        let floor = |ttl| ask.population.floor(ask.rate, ttl, ask.service.mean());
        (ask.floor, ask.least) = (floor(ask.ttl), floor(ask.ttl + ask.max_stale));
        if ask.service.mean() < SHORTEST {
            return Err(Failure::usage(format!(
                "out of range · --service-time · found {:?}, allowed 1ms or more in the mean · an origin that takes no time needs no strategy",
                args.service_time
            )));
        }
        // Budgets follow the service time; a law whose slowest reads still exceed them is one of rare, very long reads.
        let most = budgets_for(&ask.service).origin_read;
        if slowest(&ask.service) >= most {
            let (found, most) = (duration_text(whole_ms(slowest(&ask.service))), duration_text(most));
            return Err(Failure::usage(format!(
                "an origin read that is given up · --service-time · found {found} for one read in a thousand, allowed less than {most}, \
                 which is what a read is given · lower it"
            )));
        }
        let hot = ask.keys_read.hot_key().is_some();
        ask.goal.as_deref().map(|text| Goal::parse(text, hot)).transpose().map_err(Failure::usage)?;
        Ok(ask)
    }

    /// How many keys each of fewer ones stands for, where all but key 1 are alike.
    #[must_use]
    pub fn stands_for(&self, keys: u32) -> f64 {
        let alike = |n: u32| f64::from(n - u32::from(matches!(self.keys_read.kind, KeyKind::Hot { .. })));
        alike(self.n) / alike(keys).max(1.0)
    }

    /// The numbers in a line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let [ttl, stale] = [self.ttl, self.max_stale].map(duration_text);
        let service = law_text(&self.service);
        let stale =
            if self.max_stale.is_zero() { "nothing past its TTL".to_owned() } else { format!("up to {stale} past it") };
        let (rate, capacity) = (tidy(self.rate), tidy(self.capacity));
        let replicas = if self.replicas == 1 { "1 replica".to_owned() } else { format!("{} replicas", self.replicas) };
        format!(
            "{rate} requests/s for {}, TTL {ttl}, {stale}; an origin of {service} a read and {capacity} reads/s; {replicas}",
            self.keys
        )
    }
}

/// The shortest TTL, in whole seconds, at which a perfect cache makes no more than so many reads a second; `None` where a day is not
/// enough.
#[must_use]
pub fn ttl_for(ask: &Question, per_s: f64) -> Option<Duration> {
    let fits = |s: u64| ask.population.floor(ask.rate, Duration::from_secs(s), ask.service.mean()) <= per_s;
    let (mut low, mut high) = (0, 24 * 3600);
    if !fits(high) {
        return None;
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if fits(middle) { high = middle } else { low = middle }
    }
    Some(Duration::from_secs(high))
}

/// `--keys` as a scenario has them, which checks their ranges, and that of the TTL: what is simulated may have a shorter one.
fn read_keys(text: &str, ttl: Duration) -> Result<Keys, Failure> {
    let fields = key_fields(text)?;
    let flag = |(field, value): &(&'static str, String)| ((*field).to_owned(), value.clone(), format!("--keys {text}"));
    let ttl = duration_text(ttl);
    let ttl = ("cache.ttl".to_owned(), ttl.clone(), format!("--ttl {ttl}"));
    let overrides: Vec<Override> = fields.iter().map(flag).chain([ttl]).collect();
    let pairs: Vec<(String, String)> =
        overrides.iter().map(|(field, value, _)| (field.clone(), value.clone())).collect();
    let scenario = Scenario::parse(NO_MORE_THAN_KEYS, "advice", &pairs).map_err(|e| named_by_flag(e, &overrides))?;
    Ok(scenario.keys)
}

/// `zipf:10000:1.1` as the fields of a scenario. Ranges are the scenario's to check.
fn key_fields(text: &str) -> Result<KeyFields, Failure> {
    let wrong = |what: &str| {
        Failure::usage(format!(
            "{what} · --keys · found {text:?}, allowed hot:N[:share], zipf:N[:exponent], uniform:N or single · write zipf:10000"
        ))
    };
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let (kind, numbers) = parts.split_first().ok_or_else(|| wrong("no keys"))?;
    let (last, default) = match *kind {
        "hot" => (Some("keys.hot_share"), "0.95"),
        "zipf" => (Some("keys.exponent"), "1.1"),
        "uniform" | "single" => (None, ""),
        _ => return Err(wrong("no such kind of keys")),
    };
    let most = if *kind == "single" { 0 } else { 1 + usize::from(last.is_some()) };
    if numbers.len() > most || numbers.is_empty() && most > 0 {
        return Err(wrong(if numbers.is_empty() { "how many keys is missing" } else { "more than these keys have" }));
    }
    let n = numbers.first().copied().unwrap_or("1");
    if !n.bytes().all(|b| b.is_ascii_digit()) || n.is_empty() {
        return Err(wrong("no number of keys"));
    }
    let mut fields = vec![("keys.kind", (*kind).to_owned()), ("keys.n", n.to_owned())];
    if let Some(field) = last {
        let value = numbers.get(1).copied().unwrap_or(default);
        if value.parse::<f64>().is_err() {
            return Err(wrong("no number"));
        }
        fields.push((field, value.to_owned()));
    }
    Ok(fields)
}

/// `200ms`, `exp:200ms` or `lognormal:200ms,600ms`. Ranges are the scenario's to check.
fn law(text: &str) -> Result<Law, Failure> {
    let wrong = |remedy: &str| {
        Failure::usage(format!(
            "no service time · --service-time · found {text:?}, allowed a duration, exp:MEAN or lognormal:P50,P99 · {remedy}"
        ))
    };
    let part = |part: &str| quantity("--service-time", part.trim(), &DURATION);
    let Some((kind, numbers)) = text.split_once(':') else { return Ok(Law::Constant(part(text)?)) };
    let numbers: Vec<&str> = numbers.split(',').collect();
    match (kind.trim(), numbers.as_slice()) {
        ("exp", [mean]) => Ok(Law::Exponential { mean: part(mean)? }),
        ("exp", _) => Err(wrong("write exp:200ms")),
        ("lognormal", [p50, p99]) => {
            let (p50, p99) = (part(p50)?, part(p99)?);
            if p99 < p50 {
                let found = format!(
                    "p99 is less than p50 · --service-time · found {text:?}, allowed p50 first, then a p99 not below it"
                );
                return Err(Failure::usage(format!("{found} · swap them")));
            }
            Ok(Law::LogNormal { p50, p99 })
        }
        _ => Err(wrong("write lognormal:200ms,600ms")),
    }
}

/// A law as `--service-time` takes it.
#[must_use]
pub fn law_text(law: &Law) -> String {
    match *law {
        Law::Constant(value) => duration_text(value),
        Law::Exponential { mean } => format!("exp:{}", duration_text(mean)),
        Law::LogNormal { p50, p99 } => format!("lognormal:{},{}", duration_text(p50), duration_text(p99)),
        Law::Uniform { min, max } => format!("uniform:{},{}", duration_text(min), duration_text(max)),
    }
}

/// How long the slowest read of a thousand takes, by the quantiles of its law.
#[must_use]
pub fn slowest(law: &Law) -> Duration {
    match *law {
        Law::Constant(value) => value,
        // −ln 0.001 = 6.908 means.
        Law::Exponential { mean } => mean.mul_f64(1000_f64.ln()),
        // Φ⁻¹(0.999) / Φ⁻¹(0.99) = 3.0902 / 2.3263 (Wichura, algorithm AS 241, 1988).
        Law::LogNormal { p50, p99 } => {
            let spread = p99.as_secs_f64() / p50.as_secs_f64().max(1e-9);
            p50.mul_f64(spread.clamp(1.0, 1000.0).powf(3.0902 / 2.3263))
        }
        Law::Uniform { max, .. } => max,
    }
}

/// The same law, every read so many times as long, to a microsecond.
#[must_use]
pub fn times(law: &Law, factor: f64) -> Law {
    let longer = |length: Duration| Duration::from_micros((length.as_secs_f64() * factor * 1e6).round() as u64);
    match *law {
        Law::Constant(value) => Law::Constant(longer(value)),
        Law::Exponential { mean } => Law::Exponential { mean: longer(mean) },
        Law::LogNormal { p50, p99 } => Law::LogNormal { p50: longer(p50), p99: longer(p99) },
        Law::Uniform { min, max } => Law::Uniform { min: longer(min), max: longer(max) },
    }
}

fn quantity<T>(flag: &str, text: &str, unit: &Unit<T>) -> Result<T, Failure> {
    (unit.read)(text).map_err(|fault| {
        let (what, remedy) = match fault {
            UnitFault::NoUnit => ("a number without a unit", format!("write {text}{}", unit.suffix)),
            UnitFault::Negative => ("less than nothing", format!("write it as {}", unit.example)),
            _ => ("not a quantity", format!("write it as {}", unit.example)),
        };
        Failure::usage(format!("{what} · {flag} · found {text:?}, allowed {} · {remedy}", unit.words))
    })
}

fn positive(flag: &str, text: &str, unit: &Unit<f64>) -> Result<f64, Failure> {
    let value = quantity(flag, text, unit)?;
    if value > 0.0 && value <= 1e6 {
        return Ok(value);
    }
    Err(Failure::usage(format!(
        "out of range · {flag} · found {text:?}, allowed above 0/s, at most 1000000/s · change it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_times_are_what_they_say_and_the_slowest_is_their_quantile() {
        let ms = Duration::from_millis;
        for (text, said, slow) in [
            ("200ms", Law::Constant(ms(200)), 200.0),
            ("exp:200ms", Law::Exponential { mean: ms(200) }, 1381.55),
            ("lognormal:200ms,600ms", Law::LogNormal { p50: ms(200), p99: ms(600) }, 860.7),
        ] {
            let read = law(text).unwrap();
            assert_eq!((read, law_text(&read).as_str()), (said, text));
            assert!((slowest(&read).as_secs_f64() * 1e3 - slow).abs() < 0.1, "{text}: {:?}", slowest(&read));
        }
        for text in ["", "soon", "200", "normal:1s", "exp:", "exp:1s,2s", "lognormal:1s", "lognormal:1s,2s,3s"] {
            assert!(law(text).unwrap_err().text.contains("--service-time · found"), "{text}");
        }
    }

    #[test]
    fn keys_are_what_they_say() {
        let read = |text: &str| {
            key_fields(text).map(|fields| fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" "))
        };
        for (text, said) in [
            ("hot:10", "hot 10 0.95"),
            ("hot:10:0.5", "hot 10 0.5"),
            ("zipf:10000", "zipf 10000 1.1"),
            ("zipf:10:0.8", "zipf 10 0.8"),
            ("uniform:7", "uniform 7"),
            ("single", "single 1"),
        ] {
            assert_eq!(read(text).unwrap(), said);
        }
        for text in
            ["", "zipf", "zipf:", "zipf:ten", "zipf:-3", "zipf:1:x", "zipf:1:1:1", "uniform:3:1", "single:1", "hot"]
        {
            let refused = read(text).unwrap_err();
            assert!(refused.text.contains(&format!("--keys · found {text:?}, allowed hot:N")), "{}", refused.text);
        }
    }
}
