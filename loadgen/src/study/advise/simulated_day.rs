//! The scenarios that are simulated: the usual day, and five that are not.

use std::time::Duration;

use scenarios::{Law, Scenario};
use strategies::units::{duration_text, rate_text};

use super::ask::{Question, law_text, times};
use super::numbers::whole_ms;
use super::origin::{places, service};
use super::scale::Scale;
use crate::cli::settings::{Override, named_by_flag};
use crate::load::replay::open_trace;
use crate::shell::exit::Failure;

/// Reads that may wait for a place.
const QUEUE: u32 = 10_000;
/// What a run may cost, in requests that are hits (about 1 µs each), where all settings are tried with three seeds.
const COST_USUAL: f64 = 150_000.0;
/// The same where only one setting of each preset is tried, with two seeds.
const COST_REDUCED: f64 = 300_000.0;
/// The same where somebody is in a hurry.
const COST_QUICK: f64 = 40_000.0;
/// What an origin read costs to simulate beside a hit, with its flight, its lock, those who wait for it and its ledger (measured).
const READ_COST: f64 = 40.0;
/// What a second costs in which nobody asks (measured).
const SECOND_COST: f64 = 12.0;
/// How often somebody who waits looks whether the value is there, and what that costs.
const POLL_S: f64 = 0.05;
const POLL_COST: f64 = 1.5;
/// Requests that are measured where the load is light.
const REQUESTS_WANTED: f64 = 2500.0;
/// How much of that is measured with `--quick`.
const QUICK_SHARE: f64 = 0.2;
/// Reads of a perfect cache that tell how often the origin is read, to 3 %: where they come, cycles need not be waited for.
const READS_WANTED: f64 = 1000.0;
/// Requests that say anything at all.
const REQUESTS_MIN: f64 = 200.0;
/// Hits of the last second, or of the last hundred requests, that show that a cache is warm; with fewer there is no warm-up.
const HITS_TO_WARM: f64 = 12.0;
/// How long the cache is lost.
const OUTAGE: Duration = Duration::from_secs(10);
/// Measured before the cache is lost, seconds, or as long as so many requests take, or a cycle; and after it beside the time that
/// everything takes.
const BEFORE_S: f64 = 30.0;
const AFTER_S: f64 = 40.0;
const REQUESTS_BEFORE: f64 = 200.0;
/// The longest that a scenario may measure.
const DAY: Duration = Duration::from_secs(86_400);
/// Measured at least, where the requests allow it.
const MEASURED: Duration = Duration::from_secs(60);

/// What is different from the usual day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayChange {
    /// Nothing.
    None,
    /// Twice the requests.
    Load,
    /// Each origin read takes twice as long; its places stay, so it does half as many.
    Service,
    /// The cache is emptied at full load, which to the origin is what a start with an empty cache is.
    Cold,
    /// The cache is stopped for a while and comes back empty.
    LostCache,
    /// Key 1 expires, and the replica that reads it is killed in the middle of its read.
    Crash,
}

impl DayChange {
    /// What advice is tried against. Where the only replica dies, no strategy is left to compare.
    #[must_use]
    pub fn days(ask: &Question) -> Vec<Self> {
        let days = [Self::Load, Self::Service, Self::Cold, Self::LostCache, Self::Crash];
        days.into_iter().filter(|day| *day != Self::Crash || ask.replicas > 1).collect()
    }

    /// Its name, of file and scenario.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "scenario",
            Self::Load => "twice-the-load",
            Self::Service => "twice-the-service-time",
            Self::Cold => "cold-start",
            Self::LostCache => "lost-cache",
            Self::Crash => "killed-replica",
        }
    }

    /// Whether the same happens from its beginning to its end.
    #[must_use]
    pub const fn is_steady(self) -> bool {
        matches!(self, Self::None | Self::Load | Self::Service)
    }
}

/// A scenario to be simulated.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedDay {
    /// What is different.
    pub change: DayChange,
    /// Reads a second that its origin is to do, of the whole load's.
    pub capacity: f64,
    /// Where the load makes the whole grid too dear.
    pub reduced: bool,
    /// How much smaller it is than what was asked about.
    pub scale: Scale,
    warmup: Duration,
    measured: Duration,
}

impl SimulatedDay {
    /// The usual day with an origin of this capacity: as it is with all settings where that is affordable, else with one setting a preset,
    /// else at a smaller scale.
    #[must_use]
    pub fn usual(ask: &Question, capacity: f64) -> Self {
        let whole = Scale::whole(ask.n);
        let fits = |scale: &Scale, cost_max: f64| Length::of(ask, scale).least_cost() <= cost_max;
        let all = !ask.quick && fits(&whole, COST_USUAL) && Scale::fitting(ask, capacity, |_| true, |_| 0.0).is_whole();
        let cost_max = match (all, ask.quick) {
            (true, _) => COST_USUAL,
            (false, true) => COST_QUICK,
            (false, false) => COST_REDUCED,
        };
        let scale = match &ask.traffic {
            Some(_) => whole,
            None => Scale::fitting(ask, capacity, |s| fits(s, cost_max), |s| Length::of(ask, s).least_cost()),
        };
        Self::at(ask, capacity, scale, cost_max, !all)
    }

    /// The usual day at this scale.
    fn at(ask: &Question, capacity: f64, scale: Scale, cost_max: f64, reduced: bool) -> Self {
        let length = Length::of(ask, &scale);
        Self {
            change: DayChange::None,
            capacity,
            reduced,
            scale,
            warmup: length.warmup,
            measured: length.measured(ask, cost_max),
        }
    }

    /// The same, as it was asked; it may take long.
    #[must_use]
    pub fn unscaled(&self, ask: &Question) -> Self {
        let whole = Self::at(ask, self.capacity, Scale::whole(ask.n), f64::INFINITY, self.reduced);
        let warmup = whole.warmup.min(DAY);
        Self {
            warmup,
            measured: self.measured.max(Length::of(ask, &whole.scale).few()).min(DAY),
            change: self.change,
            ..whole
        }
    }

    /// The same with a change.
    #[must_use]
    pub fn with(self, change: DayChange) -> Self {
        let capacity = if change == DayChange::Service { self.capacity / 2.0 } else { self.capacity };
        Self { change, capacity, ..self }
    }

    /// Reads a second of a perfect cache on such a day, of the whole load.
    #[must_use]
    pub fn floor(&self, ask: &Question) -> f64 {
        self.floor_with(ask, ask.ttl)
    }

    /// The same with another TTL.
    #[must_use]
    pub fn floor_with(&self, ask: &Question, ttl: Duration) -> f64 {
        ask.population.floor(self.load(ask).0, ttl, self.mean(ask))
    }

    /// The same where every value is kept as long as it may be served: no strategy reads less.
    #[must_use]
    pub fn least(&self, ask: &Question) -> f64 {
        ask.population.floor(self.load(ask).0, ask.ttl + ask.max_stale, self.mean(ask))
    }

    /// Reads a second of a perfect cache in what is simulated.
    #[must_use]
    pub fn simulated_floor(&self, ask: &Question) -> f64 {
        self.scale.population(ask).floor(self.simulated_rate(ask), self.scale.ttl_of(ask), self.mean(ask))
    }

    /// Requests a second that are simulated.
    #[must_use]
    pub fn simulated_rate(&self, ask: &Question) -> f64 {
        self.load(ask).0 / self.scale.load
    }

    fn mean(&self, ask: &Question) -> Duration {
        ask.service.mean() * if self.change == DayChange::Service { 2 } else { 1 }
    }

    /// Requests a second, and how long a read takes.
    fn load(&self, ask: &Question) -> (f64, Law) {
        match self.change {
            DayChange::Load => (ask.rate * 2.0, service(ask, self.capacity)),
            // Its capacity is halved already.
            DayChange::Service => (ask.rate, times(&service(ask, self.capacity * 2.0), 2.0)),
            _ => (ask.rate, service(ask, self.capacity)),
        }
    }

    /// The same with an origin of another capacity.
    #[must_use]
    pub fn of_capacity(self, capacity: f64) -> Self {
        Self { capacity, ..self }
    }

    /// Whether a trace has as much as a day needs, and no more than can be simulated.
    ///
    /// # Errors
    /// [`Failure`] where it has not.
    pub fn check_traffic(&self, ask: &Question) -> Result<(), Failure> {
        let Some(traffic) = &ask.traffic else { return Ok(()) };
        let length = Length::of(ask, &self.scale);
        traffic.check((length.warmup, length.few()), (length.least_cost(), COST_REDUCED))
    }

    /// Whether it says anything.
    ///
    /// # Errors
    /// [`Failure`] where it does not.
    pub fn check(&self, ask: &Question) -> Result<(), Failure> {
        let measured = self.measured.as_secs_f64();
        if ask.rate * measured >= REQUESTS_MIN {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "too few requests to tell anything · --rate · found {:.0} requests in {}, needed {REQUESTS_MIN:.0} · any \
             strategy will do for so few",
            ask.rate * measured,
            duration_text(self.measured)
        )))
    }

    /// What a run of it should cost, in requests that are hits.
    #[must_use]
    pub fn cost(&self, ask: &Question) -> f64 {
        let (measured, warmup) = self.times(ask);
        let twice = if self.change == DayChange::Load { 2.0 } else { 1.0 };
        Length::of(ask, &self.scale).per_s * (warmup + measured).as_secs_f64() * twice
    }

    /// When the cache is lost: after as many requests as tell how well it was, and after all keys have been read.
    fn lost_at(&self, ask: &Question) -> Duration {
        let requests = REQUESTS_BEFORE / (ask.rate / self.scale.load);
        whole_seconds(Duration::from_secs_f64(BEFORE_S.max(requests).max(self.cycle(ask).as_secs_f64())))
    }

    /// From an expiry to the next.
    fn cycle(&self, ask: &Question) -> Duration {
        self.scale.ttl_of(ask) + ask.service.mean()
    }

    /// What is different, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.change {
            DayChange::None => "the usual day".into(),
            DayChange::Load => "twice the load".into(),
            DayChange::Service => "twice the service time".into(),
            DayChange::Cold => "a cold start".into(),
            DayChange::LostCache => format!("a cache lost for {}", duration_text(OUTAGE)),
            DayChange::Crash => "a replica killed in mid-read, and gone".into(),
        }
    }

    /// How long is measured, and how long it warms up before. Where the cache is lost, measured is until everything was read anew at
    /// twice the time that the origin needs for it, and once more expired.
    #[must_use]
    pub fn times(&self, ask: &Question) -> (Duration, Duration) {
        let (measured, warmup) = self.wanted(ask);
        let most = ask.traffic.as_ref().map(|traffic| traffic.lasts(self.speed()).saturating_sub(warmup));
        (most.map_or(measured, |most| measured.min(most)), warmup)
    }

    /// How many times as fast requests come as was asked about.
    const fn speed(&self) -> u32 {
        if matches!(self.change, DayChange::Load) { 2 } else { 1 }
    }

    /// The same, however long a trace is.
    fn wanted(&self, ask: &Question) -> (Duration, Duration) {
        let lost = match self.change {
            DayChange::Cold => Duration::ZERO,
            DayChange::LostCache => OUTAGE,
            // Far longer than a lock lives.
            DayChange::Crash => return (self.measured.max(MEASURED), self.warmup),
            _ => return (self.measured, self.warmup),
        };
        // Of a key that is read so many times a second so much lies in the cache.
        let fill_s = ask.floor * ask.ttl.as_secs_f64() / self.capacity.max(ask.floor);
        let fill_s = fill_s.min(self.scale.ttl_of(ask).as_secs_f64());
        let after = AFTER_S.max(2.0 * REQUESTS_BEFORE / (ask.rate / self.scale.load)) + 2.0 * fill_s;
        let measured = self.lost_at(ask) + lost + whole_seconds(self.cycle(ask) + Duration::from_secs_f64(after));
        (measured.min(DAY), self.warmup)
    }

    /// The scenario.
    ///
    /// # Errors
    /// [`Failure`] where a flag is out of a scenario's ranges, at the flag.
    pub fn scenario(&self, ask: &Question) -> Result<Scenario, Failure> {
        let name = if self.change == DayChange::None { "advice" } else { self.change.name() };
        let capacity = if self.change == DayChange::Service { self.capacity * 2.0 } else { self.capacity };
        let places = places(ask, capacity, &self.scale);
        let (measured, warmup) = self.times(ask);
        let start = if warmup.is_zero() { "together" } else { "staggered" };
        // A trace's is what it has.
        let duration = match &ask.traffic {
            Some(_) => String::new(),
            None => format!("duration = \"{}\"\n", duration_text(measured)),
        };
        let scaled = if self.scale.is_whole() { "" } else { ", at a smaller scale" };
        let mut text = format!(
            "schema = 1\nname = \"{name}\"\nsummary = \"Made by loadgen advise: {}{scaled}.\"\nstrategies = [\"naive\"]\n\n[load]\n\
             start = \"{start}\"\nwarmup = \"{}\"\n{duration}\n[keys]\n[cache]\n[origin]\nconcurrency = {places}\nqueue = {QUEUE}\n",
            self.in_words(),
            duration_text(warmup)
        );
        text += &self.events(ask);
        let (rate, service) = self.load(ask);
        let (rate, ttl) = (rate_text(rate / self.scale.load), self.scale.ttl_of(ask));
        let mut fields = vec![
            ("cache.ttl", duration_text(ttl), format!("--ttl {}", duration_text(ask.ttl))),
            ("origin.service_time", service.to_string(), format!("--service-time {}", law_text(&service))),
        ];
        if let Some(traffic) = &ask.traffic {
            fields.extend(traffic.fields(self.speed(), warmup + measured));
        } else {
            fields.push(("load.rate", rate.clone(), format!("--rate {rate}")));
            let keys = ask.key_fields(&self.scale).into_iter();
            fields.extend(keys.map(|(field, value)| (field, value, format!("--keys {}", ask.keys))));
        }
        let overrides: Vec<Override> =
            fields.into_iter().map(|(field, value, flag)| (field.into(), value, flag)).collect();
        let pairs: Vec<(String, String)> =
            overrides.iter().map(|(field, value, _)| (field.clone(), value.clone())).collect();
        let read = Scenario::parse_opening(&text, "advice", &pairs, Some(open_trace));
        read.map_err(|errors| named_by_flag(errors, &overrides))
    }

    /// What happens on such a day.
    fn events(&self, ask: &Question) -> String {
        let lost_at = duration_text(self.lost_at(ask));
        match self.change {
            DayChange::None | DayChange::Load | DayChange::Service => String::new(),
            DayChange::Cold => format!("\n[[event]]\nat = \"{lost_at}\"\ndo = \"flush\"\n"),
            DayChange::LostCache => {
                let length = duration_text(OUTAGE);
                format!("\n[[event]]\nat = \"{lost_at}\"\ndo = \"cache-stop\"\nfor = \"{length}\"\n")
            }
            DayChange::Crash => {
                let (at, half) = (whole_seconds(self.times(ask).0 / 3), whole_ms(ask.service.mean() / 2));
                let [expired, killed] = [at, at + half].map(duration_text);
                let key = ask.traffic.as_ref().map_or(1, |traffic| traffic.hottest);
                format!(
                    "\n[[event]]\nat = \"{expired}\"\ndo = \"expire\"\nkey = {key}\n\n[[event]]\nat = \"{killed}\"\ndo = \
                     \"replica-kill\"\ntarget = \"lock-holder\"\n"
                )
            }
        }
    }
}

/// How long a usual day is at a scale, and what a second of it costs to simulate.
struct Length {
    warmup: Duration,
    cycle_s: f64,
    floor: f64,
    rate: f64,
    per_s: f64,
}

impl Length {
    fn of(ask: &Question, scale: &Scale) -> Self {
        let (ttl, rate) = (scale.ttl_of(ask), ask.rate / scale.load);
        let (population, service) = (scale.population(ask), ask.service.mean());
        let floor = population.floor(rate, ttl, service);
        // In the mean half of the read is left when somebody comes.
        let polls = population.waiting(rate, ttl, service) * service.as_secs_f64() / 2.0 / POLL_S;
        let tells = (1.0 - floor / rate) * rate.max(100.0) >= HITS_TO_WARM;
        let warmup = Some(whole_seconds(ttl * 2)).filter(|two| tells && *two <= DAY).unwrap_or_default();
        let cycle_s = (ttl + ask.service.mean()).as_secs_f64();
        Self { warmup, cycle_s, floor, rate, per_s: SECOND_COST + rate + READ_COST * floor + POLL_COST * polls }
    }

    /// The shortest measured time that tells: three cycles, or as many reads as are enough.
    fn few(&self) -> Duration {
        let few = (3.0 * self.cycle_s).min(READS_WANTED / self.floor).max(REQUESTS_MIN / self.rate);
        Duration::from_secs(few.clamp(3.0, DAY.as_secs_f64()).ceil() as u64)
    }

    fn least_cost(&self) -> f64 {
        self.per_s * (self.warmup + self.few()).as_secs_f64()
    }

    /// As much as is wanted, as far as it is affordable.
    fn measured(&self, ask: &Question, cost_max: f64) -> Duration {
        let share = if ask.quick { QUICK_SHARE } else { 1.0 };
        let wanted = (12.0 * self.cycle_s).max(MEASURED.as_secs_f64()).max(REQUESTS_WANTED / self.rate) * share;
        let most = cost_max / self.per_s - self.warmup.as_secs_f64();
        let measured = wanted.min(most).max(self.few().as_secs_f64()).clamp(3.0, DAY.as_secs_f64());
        Duration::from_secs(measured.ceil() as u64)
    }
}

fn whole_seconds(length: Duration) -> Duration {
    Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0)).max(Duration::from_secs(1))
}
