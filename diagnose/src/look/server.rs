//! How a server is looked at, and what was seen of it.

use std::time::Duration;

use super::fields::{ConfigFields, InfoFields};
use super::keys::KeysLookedAt;
use super::logs::{DefaultUser, LatencyEvent, SlowCommand};
use super::monitor::MonitorHeard;
use super::unseen::NotSeen;

/// How many keys are looked at where nothing is said: enough that a hundredth of all keys is a hundred, and a fraction of a second.
pub const SAMPLE_DEFAULT: u32 = 10_000;
/// The most keys that may be looked at.
pub const SAMPLE_MAX: u32 = 1_000_000;
/// The longest that others' commands may be listened to: MONITOR costs a busy server half its throughput.
pub const MONITOR_MAX: Duration = Duration::from_secs(10);
/// How long a whole look may take, MONITOR included.
pub const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// How a server is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnoseOptions {
    /// The most keys that are looked at.
    pub sample: u32,
    /// How long others' commands are listened to.
    pub monitor: Option<Duration>,
}

impl Default for DiagnoseOptions {
    fn default() -> Self {
        Self { sample: SAMPLE_DEFAULT, monitor: None }
    }
}

/// What was seen of a server at one moment. What could not be seen is `None`, and is in `not_seen`.
#[derive(Debug, Clone, Default)]
pub struct ServerLook {
    /// INFO.
    pub info: InfoFields,
    /// CONFIG GET.
    pub config: ConfigFields,
    /// CLUSTER INFO, of a node of a cluster.
    pub cluster: Option<InfoFields>,
    /// SLOWLOG GET.
    pub slow: Option<Vec<SlowCommand>>,
    /// LATENCY LATEST.
    pub latency: Option<Vec<LatencyEvent>>,
    /// The user that anybody is who names none.
    pub default_user: Option<DefaultUser>,
    /// Whether we were let in without a password.
    pub let_in_without_password: bool,
    /// Whether it is another machine's, and answered us here.
    pub is_elsewhere: bool,
    /// As whom we were there.
    pub user: Option<String>,
    /// The server's clock, seconds since 1970.
    pub now_s: Option<i64>,
    /// A sample of its keys.
    pub keys: Option<KeysLookedAt>,
    /// What others asked.
    pub heard: Option<MonitorHeard>,
    /// What could not be seen.
    pub not_seen: Vec<NotSeen>,
}

impl ServerLook {
    /// A setting that INFO or CONFIG GET tells, whichever the server lets us read.
    #[must_use]
    pub fn setting(&self, config: &str, info: &str) -> Option<String> {
        self.config.text(config).or_else(|| self.info.text(info)).map(ToOwned::to_owned)
    }

    /// A whole number that CONFIG GET or INFO tells.
    #[must_use]
    pub fn setting_number(&self, config: &str, info: &str) -> Option<u64> {
        self.config.whole(config).or_else(|| self.info.whole(info))
    }

    /// The keys that are there, and those of them that have a TTL, over all databases: the server's own counts.
    #[must_use]
    pub fn keyspace(&self) -> Option<(u64, u64)> {
        let sums = self.info.databases().iter().fold((0_u64, 0_u64), |(keys, ends), database| {
            (keys.saturating_add(database.keys), ends.saturating_add(database.with_ttl))
        });
        self.info.has("redis_version").then_some(sums)
    }

    /// Whether it is used as a cache: at least half of its keys end by themselves. `None` where it has fewer keys than say anything.
    #[must_use]
    pub fn is_cache(&self) -> Option<bool> {
        let (keys, with_ttl) = self.keyspace().filter(|(keys, _)| *keys >= KEYS_THAT_SAY_SOMETHING)?;
        Some(with_ttl * 2 >= keys)
    }
}

/// Fewer keys than these say nothing of what a server is for.
pub const KEYS_THAT_SAY_SOMETHING: u64 = 100;
