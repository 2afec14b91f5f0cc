//! Scenarios: the TOML schema, its validated values, and the seeded plan of arrivals.
//!
//! Text becomes a [`Scenario`] once, through [`Scenario::parse`], and nothing downstream checks it again; a scenario and a
//! seed become a [`Plan`]. Nothing here knows what answers: no strategy's meaning, no HTTP, no clock.
//!
//! | idea | file |
//! |---|---|
//! | text → plain data → values | `parse.rs`, `syntax.rs`, `tree.rs`, `overrides.rs`, `walk.rs`, `getters.rs` |
//! | the values, each with its own rules | `scenario.rs`, `load.rs`, `replica.rs`, `ramp.rs`, `keys.rs`, `law.rs`, `event.rs`, `threshold.rs` |
//! | how long things may take | `budgets.rs` |
//! | what is wrong, and where | `problem.rs`, `source.rs`, `nearest.rs` |
//! | the resolved copy | `resolved.rs` |
//! | the plan of requests | `plan.rs`, `plan/`, `draw.rs` |
//! | keys of their own kind, with TTLs and sizes by class or by row | `classes.rs`, `items.rs` |
//! | keys that are replaced by new ones | `churn.rs` |
//! | a rate that changes, and its arrivals | `rate.rs` |
//! | a number of clients that changes, and when each is active | `active.rs` |
//! | when a client tries again, and how often all may | `retry.rs` |
//! | the origin's service times | `service.rs` |
//! | items that are written while they are read | `writes.rs` |
//! | counters that are incremented | `counting.rs` |
//! | a trace that is replayed | `trace.rs`, `recorded.rs` |

mod event;
mod expect;
mod plan;
mod scenario;
mod schema;
mod shipped;
mod threshold;
mod values;

pub use event::{
    ACTIONS, Action, ActionField, ActionKind, ActionRow, Ends, MigrationWay, Needs, ReplicaTarget, ScenarioEvent,
    Trouble,
};
pub use plan::{Arrival, ArrivalIter, Item, Plan};
pub use scenario::{CacheSettings, OriginModel, Scenario, Warm};
pub use schema::fields::settable;
pub use schema::nearest::nearest;
pub use schema::problem::{Problem, ScenarioErrors};
pub use schema::read::read;
pub use shipped::shipped;
pub use strategies::units::{duration_text, rate_text, size_text};
pub use threshold::{Bound, METRICS, Threshold};
pub use values::budgets::budgets_for;
pub use values::churn::Churn;
pub use values::classes::{ClassKeys, KeyClass};
pub use values::counting::CountingLoad;
pub use values::keys::Keys;
pub use values::law::Law;
pub use values::load::{Arrivals, Load, LoadKind, OnDown};
pub use values::op::Op;
pub use values::popularity::{KeyKind, Sample};
pub use values::ramp::{ClientRamp, Ramp, client_ramps_in_words, ramps_in_words};
pub use values::recorded::{
    KeyAsks, OpenTrace, RecordedRequest, RecordedTrace, ReplayedOps, RowValues, TraceFound, TraceSettings, TracedKeys,
};
pub use values::retry::{RETRY_RESERVE, RequestId, Retry, RetryBudget};
pub use values::server::{SERVER_SETTINGS, ServerRange, ServerSettings, ServerValue};
pub use values::service::ServiceModel;
pub use values::simulated::SimulatedServer;
pub use values::size::{SizeLaw, VALUE_SIZE_MAX};
pub use values::start::Start;
pub use values::trace::ReplayLoad;
pub use values::writes::{WritePace, Writes};
