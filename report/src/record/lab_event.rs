//! The lab's own events among the rows of `events.jsonl`.

use super::row::EventRow;

/// What the lab itself tells, and no replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabEvent {
    /// A phase begins.
    Phase,
    /// An action of the scenario took effect.
    Fault,
    /// Its effect is over.
    FaultOver,
    /// It failed, and may have taken effect in part.
    FaultFailed,
    /// An entry has expired.
    Expiry,
}

impl LabEvent {
    const ALL: [Self; 5] = [Self::Phase, Self::Fault, Self::FaultOver, Self::FaultFailed, Self::Expiry];

    /// The name in `events.jsonl`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Fault => "fault",
            Self::FaultOver => "fault-over",
            Self::FaultFailed => "fault-failed",
            Self::Expiry => "expiry",
        }
    }

    /// Whether a scenario's action is what it is about.
    #[must_use]
    pub const fn is_of_an_action(self) -> bool {
        matches!(self, Self::Fault | Self::FaultOver | Self::FaultFailed)
    }
}

impl EventRow {
    /// What it is, where the lab itself told it.
    #[must_use]
    pub fn of_the_lab(&self) -> Option<LabEvent> {
        LabEvent::ALL.into_iter().find(|event| event.name() == self.event)
    }
}
