//! The scenario: everything a run is made of but its seed and its lab, as validated values.
//!
//! Its only door from text is [`Scenario::parse`], and nothing downstream checks again. It knows no file, no clock and no
//! strategy's meaning.

use std::time::Duration;

use crate::event::ScenarioEvent;
use crate::schema::walk::{Fields, Walk};
use crate::threshold::Threshold;
use crate::values::classes::{TTL_MAX, TTL_MIN};
use crate::values::counting::CountingLoad;
use crate::values::keys::Keys;
use crate::values::law::Law;
use crate::values::load::Load;
use crate::values::server::ServerSettings;
use crate::values::service::ServiceModel;
use crate::values::simulated::SimulatedServer;
use crate::values::writes::Writes;
use strategies::units::{DURATION, duration_text};
use strategies::{Budgets, Slots};

const SERVICE_TIME_MAX: Duration = Duration::from_secs(3600);
const WRITE_EVERY_MAX: Duration = Duration::from_secs(24 * 3600);
/// One connection each between replica and origin, of which there are 65 536 between two addresses.
const CONCURRENCY_MAX: u32 = 65_536;
const CONCURRENCY_DEFAULT: u32 = 64;
const QUEUE_MAX: u32 = 1_000_000;
const QUEUE_DEFAULT: u32 = 1024;

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Lower-case letters, digits and `-`: it names folders.
    pub name: String,
    /// What one learns from it, one line. May be empty.
    pub summary: String,
    /// The strategies to run, each a text that `strategies::spec::Spec::parse` accepts, or of a load that counts
    /// `strategies::counter::CounterSpec::parse`. At least one, no two the same.
    pub strategies: Vec<String>,
    /// How requests come.
    pub load: Load,
    /// What they count; `None` where they read.
    pub counting: Option<CountingLoad>,
    /// What they ask for.
    pub keys: Keys,
    /// The cache's settings.
    pub cache: CacheSettings,
    /// The origin's settings.
    pub origin: OriginModel,
    /// How long a replica gives what it waits for.
    pub budgets: Budgets,
    /// How items are written while they are read; `None` where they are not.
    pub writes: Option<Writes>,
    /// How many requests a replica works on at a time; `None` where there is no limit.
    pub slots: Option<Slots>,
    /// How the cache is filled before t = 0, if it is.
    pub warm: Option<Warm>,
    /// What is done during the run, in the order of time.
    pub events: Vec<ScenarioEvent>,
    /// What the run must reach.
    pub thresholds: Vec<Threshold>,
}

/// The cache's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// How long an entry is fresh. Above zero.
    pub ttl: Duration,
    /// What the lab's own Redis is set up with.
    pub redis: ServerSettings,
    /// What commands take at a simulated server.
    pub simulated: SimulatedServer,
}

/// The origin: a service with a capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginModel {
    /// How long a read holds its place.
    pub service_time: Law,
    /// How long a write holds its place; `None`: as long as a read.
    pub write_time: Option<Law>,
    /// How many reads and writes are served at once (W), 1 to 65 536.
    pub concurrency: u32,
    /// How many more may wait; the next is rejected. May be 0.
    pub queue: u32,
    /// Each row gets a new version at this interval, if there is one.
    pub write_every: Option<Duration>,
}

/// How the cache is filled before t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warm {
    /// `burst = "all"`: every key, in one burst, whose last put is t = 0.
    BurstAll,
    /// With `ages = "even"`: likewise, and each entry with only a part of its life left, evenly spread: the cache of a system
    /// that has run for a while. Keys that were all new at t = 0 would expire together.
    BurstAged,
}

impl Warm {
    /// Puts of a burst that are under way at a time: each has its time-out, and more of them would wait for one another.
    pub const PUTS_AT_ONCE: usize = 200;
    /// How an error begins that a put of a burst failed with.
    pub const PUT_FAILED: &str = "a put of the burst: ";

    /// Which part of its life an item's entry has left, above 0, at most 1.
    #[must_use]
    pub fn life_left(self, item: u32) -> f64 {
        // Multiples of the golden ratio lie evenly between 0 and 1 however many there are (Weyl), in no order of the items.
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        match self {
            Self::BurstAll => 1.0,
            Self::BurstAged => 1.0 - (f64::from(item) * GOLDEN).fract(),
        }
    }
}

impl Scenario {
    /// Doubts that do not stop a run, each a sentence with its remedy.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.doubtful_times();
        let (ttl, mean) = (self.cache.ttl, self.origin.service_time.mean());
        let least = self.ttl_min();
        if least < mean {
            let which = if least == ttl { "`cache.ttl`" } else { "the shortest TTL" };
            warnings.push(format!(
                "{which} ({}) is shorter than the origin's mean service time ({}): an entry may end before the next \
                 read does; raise the TTL unless that is the point",
                duration_text(least),
                duration_text(mean)
            ));
        }
        warnings.extend(self.clamped());
        let stated = self.load.trace().and_then(|trace| trace.rows.as_ref()?.stated_ttls());
        let counts = self.keys.from_rows.ttl || self.keys.classes.iter().any(|class| class.ttl.is_some());
        if let Some((least, most)) = stated.filter(|stated| *stated != (ttl, ttl) && !counts) {
            let [least, most, ttl] = [least, most, ttl].map(duration_text);
            warnings.push(format!(
                "the trace's rows state TTLs from {least} to {most}, and every entry of this run has one of {ttl}; write \
                 `keys.from_rows = \"ttl\"` to have each key's own"
            ));
        }
        warnings
    }

    /// The least number of replicas that the events need: one more than the highest replica they name, at least 1.
    #[must_use]
    pub fn replicas_min(&self) -> u32 {
        let named = self.events.iter().filter_map(ScenarioEvent::replica).max();
        named.map_or(1, |highest| highest.saturating_add(1))
    }
}

impl CacheSettings {
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let ttl = walk.quantity(fields, "ttl", &DURATION, TTL_MIN..=TTL_MAX, None);
        let (redis, simulated) = (ServerSettings::read(walk, fields), SimulatedServer::read(walk, fields));
        Some(Self { ttl: ttl?, redis: redis?, simulated: simulated? })
    }
}

impl OriginModel {
    /// The service times of this origin's writes.
    #[must_use]
    pub fn write_model(&self) -> ServiceModel {
        ServiceModel::new(self.write_time.unwrap_or(self.service_time))
    }

    /// The service times of this origin's reads.
    #[must_use]
    pub fn service_model(&self) -> ServiceModel {
        ServiceModel::new(self.service_time)
    }

    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let service_time = Law::read(walk, fields, "service_time", SERVICE_TIME_MAX);
        let write_time = match fields.has("write_time") {
            true => Law::read(walk, fields, "write_time", SERVICE_TIME_MAX).map(Some),
            false => Some(None),
        };
        let concurrency = walk.integer(fields, "concurrency", 1..=CONCURRENCY_MAX, Some(CONCURRENCY_DEFAULT));
        let queue = walk.integer(fields, "queue", 0..=QUEUE_MAX, Some(QUEUE_DEFAULT));
        let write_every =
            walk.quantity(fields, "write_every", &DURATION, Duration::ZERO..=WRITE_EVERY_MAX, Some(Duration::ZERO));
        Some(Self {
            service_time: service_time?,
            write_time: write_time?,
            concurrency: concurrency?,
            queue: queue?,
            write_every: write_every.map(|every| (!every.is_zero()).then_some(every))?,
        })
    }
}
