//! Events: what is done to the cache, the origin or a replica while a run is measured.
//!
//! The values only. What there is to do is in `event/rows.rs`, how it is written in a file in `event/text.rs`, and a lab does it.

mod rows;
mod target;
mod text;
mod trouble;

use std::time::Duration;

use strategies::units::duration_text;

pub use rows::{ACTIONS, ActionField, ActionKind, ActionRow, Ends, Needs};
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
        Self { kind, length, factor: 1.0, added, share: 1.0, target, key: None, keys: 0 }
    }

    /// The same, lasting `length`.
    #[must_use]
    pub fn lasting(self, length: Duration) -> Self {
        Self { length, ..self }
    }

    /// What is told when it has happened, to `replica` where it hit one.
    #[must_use]
    pub fn sentence(&self, replica: Option<&str>) -> String {
        let key = self.key.map_or_else(|| "all".to_owned(), |key| key.to_string());
        let share = if self.share < 1.0 { format!(", {} of its operations", self.share) } else { String::new() };
        let fields = [
            ("{key}", key),
            ("{keys}", self.keys.to_string()),
            ("{replica}", replica.unwrap_or("every replica").to_owned()),
            ("{factor}", self.factor.to_string()),
            ("{add}", duration_text(self.added)),
            ("{share}", share),
            ("{for}", duration_text(self.length)),
        ];
        fields.iter().fold(self.kind.row().says.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}
