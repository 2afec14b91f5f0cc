//! The scenarios that are simulated: the usual day, and four that are not.

use std::time::Duration;

use scenarios::{Keys, Law, Scenario};
use strategies::units::{duration_text, rate_text};

use super::ask::{Ask, floor_per_s, law_text, tidy, times};
use crate::exit::Failure;
use crate::settings::{Override, named_by_flag};

/// Places of an origin that can be simulated.
const PLACES_MAX: u32 = 1024;
/// How much longer a read may take than was said so that the origin does what was said; and how much shorter.
const LONGER: (f64, f64) = (0.66, 1.51);
/// Reads that may wait for a place.
const QUEUE: u32 = 10_000;
/// What a run may cost where all settings are tried with three seeds, in requests that are hits: about 1 µs each.
const COST_USUAL: f64 = 200_000.0;
/// What a run should cost where only one setting of each preset is tried, with two seeds.
const COST_REDUCED: f64 = 500_000.0;
/// What such a run may cost at most.
const COST_MAX: f64 = 4_000_000.0;
/// What an origin read costs to simulate beside a hit, with its flight, its lock, those who wait for it and its ledger (measured).
const READ_COST: f64 = 40.0;
/// Steps of the simulator beyond which a run is cut, for each unit of what its load should cost: a run in which nothing piles up takes
/// 1 to 2 (measured), and one in which everybody waits and polls takes 50.
const STEPS_PER_COST: f64 = 20.0;
/// Steps that any run may take.
const STEPS_MIN: f64 = 4e6;
/// Requests that are measured where the load is light.
const REQUESTS_WANTED: f64 = 2500.0;
/// How much of that is measured with `--quick`.
const QUICK_SHARE: f64 = 0.2;
/// Requests that say anything at all.
const REQUESTS_MIN: f64 = 200.0;
/// Hits of the last second, or of the last hundred requests, that show that a cache is warm; with fewer there is no warm-up.
const HITS_TO_WARM: f64 = 12.0;
/// How long the cache is lost.
const OUTAGE: Duration = Duration::from_secs(10);
/// Measured before the cache is lost, seconds, or as long as so many requests take; and after it beside the time that everything takes.
const BEFORE_S: f64 = 30.0;
const AFTER_S: f64 = 40.0;
const REQUESTS_BEFORE: f64 = 200.0;
/// The longest that a scenario may measure.
const DAY: Duration = Duration::from_secs(86_400);
/// Measured at least, where the requests allow it.
const MEASURED: Duration = Duration::from_secs(60);

/// What is different from the usual day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
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

impl Change {
    /// What advice is tried against. Where the only replica dies, no strategy is left to compare.
    #[must_use]
    pub fn days(ask: &Ask) -> Vec<Self> {
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
}

/// A scenario to be simulated.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// What is different.
    pub change: Change,
    /// Reads a second that its origin is to do.
    pub capacity: f64,
    /// Where the load makes the whole grid too dear.
    pub reduced: bool,
    warmup: Duration,
    measured: Duration,
}

impl World {
    /// The usual day with an origin of this capacity.
    #[must_use]
    pub fn usual(ask: &Ask, capacity: f64) -> Self {
        let tells = (1.0 - ask.floor / ask.rate) * ask.rate.max(100.0) >= HITS_TO_WARM;
        let warmup = Some(whole_seconds(ask.ttl * 2)).filter(|two| tells && *two <= DAY).unwrap_or_default();
        let cycle = (ask.ttl + ask.service.mean()).as_secs_f64();
        let share = if ask.quick { QUICK_SHARE } else { 1.0 };
        let wanted = (12.0 * cycle).max(MEASURED.as_secs_f64()).max(REQUESTS_WANTED / ask.rate) * share;
        let few = 3.0 * cycle;
        let cost = cost(ask);
        let affordable = |cost_max: f64| cost_max / cost - warmup.as_secs_f64();
        let reduced = ask.quick || affordable(COST_USUAL) < few;
        let most = affordable(if reduced { COST_REDUCED } else { COST_USUAL });
        let measured = wanted.min(most).max(few).clamp(3.0, DAY.as_secs_f64());
        Self { change: Change::None, capacity, reduced, warmup, measured: Duration::from_secs(measured.ceil() as u64) }
    }

    /// The same with a change.
    #[must_use]
    pub fn with(self, change: Change) -> Self {
        let capacity = if change == Change::Service { self.capacity / 2.0 } else { self.capacity };
        Self { change, capacity, ..self }
    }

    /// Reads a second of a perfect cache on such a day.
    #[must_use]
    pub fn floor(&self, ask: &Ask, keys: &Keys) -> f64 {
        let twice = if self.change == Change::Service { 2 } else { 1 };
        floor_per_s(self.load(ask).0, keys, ask.ttl, ask.service.mean() * twice)
    }

    /// Requests a second, and how long a read takes.
    fn load(&self, ask: &Ask) -> (f64, Law) {
        match self.change {
            Change::Load => (ask.rate * 2.0, service(ask, self.capacity)),
            // Its capacity is halved already.
            Change::Service => (ask.rate, times(&service(ask, self.capacity * 2.0), 2.0)),
            _ => (ask.rate, service(ask, self.capacity)),
        }
    }

    /// The same with an origin of another capacity.
    #[must_use]
    pub fn of_capacity(self, capacity: f64) -> Self {
        Self { capacity, ..self }
    }

    /// Whether it can be simulated in the time that there is.
    ///
    /// # Errors
    /// [`Failure`] where it can't.
    pub fn check(&self, ask: &Ask) -> Result<(), Failure> {
        let measured = self.measured.as_secs_f64();
        if measured < 3.0 * ask.ttl.as_secs_f64() {
            return Err(Failure::usage(format!(
                "too long a TTL to simulate · --ttl · found {}, allowed 8h: three of them are a day · give a shorter one",
                duration_text(ask.ttl)
            )));
        }
        if ask.rate * measured < REQUESTS_MIN {
            return Err(Failure::usage(format!(
                "too few requests to tell anything · --rate · found {:.0} requests in {}, needed {REQUESTS_MIN:.0} · any \
                 strategy will do for so few",
                ask.rate * measured,
                duration_text(self.measured)
            )));
        }
        if self.is_affordable(ask) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "too much to simulate in some minutes · --rate {} with --ttl {} · found {:.0} s to simulate for five TTLs, allowed \
             {:.0} s · divide --rate, --origin-capacity and the number of keys by the same number, or use `loadgen sweep`, which may take \
             its time",
            rate_text(ask.rate),
            duration_text(ask.ttl),
            (self.warmup + self.measured).as_secs_f64(),
            COST_MAX / cost(ask)
        )))
    }

    /// Whether a run of it costs no more than one may.
    #[must_use]
    pub fn is_affordable(&self, ask: &Ask) -> bool {
        self.cost(ask) <= COST_MAX
    }

    /// What a run of it should cost, in requests that are hits: about so many microseconds of a core.
    #[must_use]
    pub fn cost(&self, ask: &Ask) -> f64 {
        let (measured, warmup) = self.times(ask);
        cost(ask) * (warmup + measured).as_secs_f64() * if self.change == Change::Load { 2.0 } else { 1.0 }
    }

    /// Steps of the simulator beyond which it is cut.
    #[must_use]
    pub fn steps_max(&self, ask: &Ask) -> u32 {
        (self.cost(ask) * STEPS_PER_COST).clamp(STEPS_MIN, 4e9) as u32
    }

    /// When the cache is lost.
    fn lost_at(ask: &Ask) -> Duration {
        whole_seconds(Duration::from_secs_f64(BEFORE_S.max(REQUESTS_BEFORE / ask.rate)))
    }

    /// What is different, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.change {
            Change::None => "the usual day".into(),
            Change::Load => "twice the load".into(),
            Change::Service => "twice the service time".into(),
            Change::Cold => "a cold start".into(),
            Change::LostCache => format!("a cache lost for {}", duration_text(OUTAGE)),
            Change::Crash => "a replica killed in mid-read, and gone".into(),
        }
    }

    /// How long is measured, and how long it warms up before. Where the cache is lost, measured is until everything was read anew at
    /// twice the time that the origin needs for it, and once more expired: who has not recovered then does not.
    #[must_use]
    pub fn times(&self, ask: &Ask) -> (Duration, Duration) {
        let lost = match self.change {
            Change::Cold => Duration::ZERO,
            Change::LostCache => OUTAGE,
            // Far longer than a lock lives.
            Change::Crash => return (self.measured.max(MEASURED), self.warmup),
            _ => return (self.measured, self.warmup),
        };
        // Of a key that is read so many times a second so much lies in the cache.
        let fill_s = ask.floor * ask.ttl.as_secs_f64() / self.capacity.max(ask.floor);
        let cycle = ask.ttl + ask.service.mean();
        let after = Duration::from_secs_f64(AFTER_S.max(2.0 * REQUESTS_BEFORE / ask.rate) + 2.0 * fill_s);
        let measured = Self::lost_at(ask) + lost + whole_seconds(cycle + after);
        (measured.min(DAY), self.warmup)
    }

    /// The scenario.
    ///
    /// # Errors
    /// [`Failure`] where a flag is out of a scenario's ranges, at the flag.
    pub fn scenario(&self, ask: &Ask) -> Result<Scenario, Failure> {
        let name = if self.change == Change::None { "advice" } else { self.change.name() };
        let capacity = if self.change == Change::Service { self.capacity * 2.0 } else { self.capacity };
        let places = places(ask, capacity).unwrap_or(PLACES_MAX);
        let (measured, warmup) = self.times(ask);
        let start = if warmup.is_zero() { "together" } else { "staggered" };
        let [measured, warmup] = [measured, warmup].map(duration_text);
        let mut text = format!(
            "schema = 1\nname = \"{name}\"\nsummary = \"Made by loadgen advise: {}.\"\nstrategies = [\"naive\"]\n\n[load]\n\
             arrivals = \"poisson\"\nstart = \"{start}\"\nwarmup = \"{warmup}\"\nduration = \"{measured}\"\n\n[keys]\n[cache]\n[origin]\n\
             concurrency = {places}\nqueue = {QUEUE}\n",
            self.in_words()
        );
        let lost_at = duration_text(Self::lost_at(ask));
        if self.change == Change::Cold {
            text += &format!("\n[[event]]\nat = \"{lost_at}\"\ndo = \"flush\"\n");
        }
        if self.change == Change::LostCache {
            let length = duration_text(OUTAGE);
            text += &format!("\n[[event]]\nat = \"{lost_at}\"\ndo = \"cache-stop\"\nfor = \"{length}\"\n");
        }
        if self.change == Change::Crash {
            let (at, half) = (whole_seconds(self.times(ask).0 / 3), whole_ms(ask.service.mean() / 2));
            let [expired, killed] = [at, at + half].map(duration_text);
            text += &format!(
                "\n[[event]]\nat = \"{expired}\"\ndo = \"expire\"\nkey = 1\n\n[[event]]\nat = \"{killed}\"\ndo = \
                 \"replica-kill\"\ntarget = \"lock-holder\"\n"
            );
        }
        let (rate, service) = self.load(ask);
        let fields = [
            ("load.rate", rate_text(rate), format!("--rate {}", rate_text(rate))),
            ("cache.ttl", duration_text(ask.ttl), format!("--ttl {}", duration_text(ask.ttl))),
            ("origin.service_time", service.to_string(), format!("--service-time {}", law_text(&service))),
        ];
        let fields = fields.map(|(field, value, flag)| (field.into(), value, flag));
        let keys = ask
            .key_fields
            .iter()
            .map(|(field, value)| ((*field).into(), value.clone(), format!("--keys {}", ask.keys)));
        let overrides: Vec<Override> = fields.into_iter().chain(keys).collect();
        let pairs: Vec<(String, String)> =
            overrides.iter().map(|(field, value, _)| (field.clone(), value.clone())).collect();
        Scenario::parse(&text, "advice", &pairs).map_err(|errors| named_by_flag(errors, &overrides))
    }
}

/// What a second of the usual load costs to simulate.
fn cost(ask: &Ask) -> f64 {
    ask.rate + READ_COST * ask.floor
}

/// Places of an origin that does so many reads a second: by Little's law capacity × service time, to the nearest whole one, and one at
/// least. No more than four times what the whole load could use. `None` where there are too many to simulate.
#[must_use]
pub fn places(ask: &Ask, capacity: f64) -> Option<u32> {
    let service = ask.service.mean().as_secs_f64();
    let of_use = (4.0 * ask.rate * service).ceil() + 16.0;
    let places = (capacity * service).round().max(1.0).min(of_use);
    (places <= f64::from(PLACES_MAX)).then_some(places as u32)
}

/// How long a read takes in an origin with whole places that does exactly so many reads a second: as much longer or shorter than was
/// said as its places are more or fewer. As said where there are more places than the load can use; and where there is less than two
/// thirds of one, for a read would take far too long: that origin does more than was said, and what comes to it is counted instead.
#[must_use]
pub fn service(ask: &Ask, capacity: f64) -> Law {
    let exact = capacity * ask.service.mean().as_secs_f64();
    let Some(places) = places(ask, capacity) else { return ask.service };
    let longer = f64::from(places) / exact;
    if (LONGER.0..=LONGER.1).contains(&longer) && longer != 1.0 { times(&ask.service, longer) } else { ask.service }
}

/// Reads a second that the simulated origin does.
#[must_use]
pub fn does_per_s(ask: &Ask, capacity: f64) -> f64 {
    let does = places(ask, capacity)
        .map_or(capacity, |places| f64::from(places) / service(ask, capacity).mean().as_secs_f64().max(1e-9));
    let differs = (does / capacity - 1.0).abs() > 0.005 && capacity <= 4.0 * ask.rate;
    if differs { does } else { capacity }
}

/// Standard deviations of a Poisson count that the highest second of a few minutes is above the mean.
pub const PEAK_DEVIATIONS: f64 = 3.2;

/// Standard deviations above the capacity. Of an origin of 3 reads a second or more that is used to three quarters chance exceeds that in
/// about one of a hundred answers, in any of their 2000 seconds (P(X ≥ 12) = 4.5e-6 of a Poisson count of mean 2.25), and of larger
/// ones more seldom.
const CHANCE: f64 = 5.0;

/// How many reads may come to the origin in any second: as many as chance alone brings to one that is just fully used, C + 5 √C, whole
/// ones. More is a herd, or a load that it can't do.
#[must_use]
pub fn peak_max(capacity: f64) -> f64 {
    (capacity + CHANCE * capacity.sqrt()).floor().max(1.0)
}

/// What is simulated instead, where a read takes longer or shorter than was said or the origin does more.
#[must_use]
pub fn rounded(ask: &Ask, capacity: f64) -> Option<String> {
    let (places, does, law) = (places(ask, capacity)?, does_per_s(ask, capacity), service(ask, capacity));
    let s = if places == 1 { "" } else { "s" };
    let differs = (law.mean().as_secs_f64() / ask.service.mean().as_secs_f64() - 1.0).abs() > 0.02;
    (does != capacity || differs).then(|| {
        format!(
            "its places are whole: simulated with {places} place{s} of {} ms{} each, {} reads/s",
            tidy(law.mean().as_secs_f64() * 1e3),
            if matches!(law, Law::Constant(_)) { "" } else { " in the mean" },
            tidy(does)
        )
    })
}

/// Down to a millisecond.
#[must_use]
pub fn whole_ms(length: Duration) -> Duration {
    Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

fn whole_seconds(length: Duration) -> Duration {
    Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0)).max(Duration::from_secs(1))
}
