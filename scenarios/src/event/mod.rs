//! Events: what is done to the cache, the origin or a replica while a run is measured.
//!
//! The values only. What there is to do is in `event/rows.rs`, how it is written in a file in `event/text.rs`, and a lab does it.

mod rows;
mod target;
mod text;
mod trouble;

use std::time::Duration;

use strategies::units::duration_text;

pub use rows::{ACTIONS, ActionField, ActionKind, ActionRow, Ends, MigrationWay, Needs};
pub use target::ReplicaTarget;
pub use trouble::Trouble;

/// One thing that is done at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioEvent {
    /// When, after t = 0 (the start of the measured time) and before its end.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What is done: a kind, and the fields that its row takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Action {
    /// Which.
    pub kind: ActionKind,
    /// How long it lasts; zero where it happens at once.
    pub length: Duration,
    /// How many times longer something takes; 1 where nothing does.
    pub factor: f64,
    /// How much longer something takes; zero where nothing does.
    pub added: Duration,
    /// Of how many operations that is so: above 0, at most 1, which is all.
    pub share: f64,
    /// The replica that is meant; `None` where every one is, or none.
    pub target: Option<ReplicaTarget>,
    /// The key; `None` where every one is meant, or none.
    pub key: Option<u32>,
    /// How many keys; none where they are not counted.
    pub keys: u32,
    /// How many slots; none where they are not counted.
    pub slots: u32,
    /// How slots move.
    pub how: MigrationWay,
}

impl ScenarioEvent {
    /// When it is over.
    #[must_use]
    pub fn over(&self) -> Duration {
        self.at.saturating_add(self.action.length)
    }
}

impl Action {
    /// One of that kind, with the defaults of its row.
    #[must_use]
    pub fn new(kind: ActionKind) -> Self {
        let (length, added, target) = (Duration::ZERO, Duration::ZERO, kind.row().target);
        Self {
            kind,
            length,
            factor: 1.0,
            added,
            share: 1.0,
            target,
            key: None,
            keys: 0,
            slots: 0,
            how: MigrationWay::Legacy,
        }
    }

    /// The same, lasting `length`.
    #[must_use]
    pub fn lasting(self, length: Duration) -> Self {
        Self { length, ..self }
    }

    /// What is told when it has happened, to `replica` where it hit one.
    #[must_use]
    pub fn sentence(&self, replica: Option<&str>) -> String {
        let (key, lasts) = match (self.kind, self.key) {
            (ActionKind::ClusterMigrate, None) => (String::new(), String::new()),
            (ActionKind::ClusterMigrate, Some(key)) => (format!(" of key {key}"), String::new()),
            (ActionKind::CacheFailover, key) => {
                let stands = format!(": it stands still for {}", duration_text(self.length));
                let lasts = if self.length.is_zero() { ": killed".to_owned() } else { stands };
                (key.map_or_else(|| "the hottest".to_owned(), |key| key.to_string()), lasts)
            }
            (_, key) => (key.map_or_else(|| "all".to_owned(), |key| key.to_string()), duration_text(self.length)),
        };
        let slots = if self.slots > 0 { format!("{} slots", self.slots) } else { "the slot".to_owned() };
        let share = if self.share < 1.0 { format!(", {} of its operations", self.share) } else { String::new() };
        let fields = [
            ("{key}", key),
            ("{keys}", self.keys.to_string()),
            ("{replica}", replica.unwrap_or("every replica").to_owned()),
            ("{factor}", self.factor.to_string()),
            ("{add}", duration_text(self.added)),
            ("{share}", share),
            ("{for}", lasts),
            ("{slots}", slots),
            ("{how}", self.how.word().to_owned()),
        ];
        fields.iter().fold(self.kind.row().says.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}
