//! From what was seen to what is said: the figures of a strategy, computed from the recorder's sums and the two ledgers.
//!
//! Everything here is a pure function of its inputs, so each figure has a test with a small table in it.

mod conditions;
mod events;
mod floor;
mod healed;
mod ledgers;
mod origin;
mod predicted;
mod recovery;
mod strategy;
mod validity;
mod warmth;

pub use conditions::{Against, During, Part, conditions};
pub use events::{Seen, event_rows};
pub use floor::Floor;
pub use ledgers::{Flights, compare};
pub use origin::{Read, in_flight_max, max_in_window, per_expiry, seconds_over};
pub use recovery::{Hurt, recovery};
pub use strategy::{Evidence, Figures, OriginSeen, figures, warm_state};
pub use validity::{Circumstances, doubts};
pub use warmth::Warmth;
