//! Scenarios: the TOML schema, its validated values, and the seeded plan of arrivals.
//!
//! Text becomes a [`Scenario`] once, through [`Scenario::parse`], and nothing downstream checks it again; a scenario and a
//! seed become a [`Plan`]. Nothing here knows who answers: no strategy's meaning, no HTTP, no clock.
//!
//! | idea | file |
//! |---|---|
//! | text → plain data → values | `parse.rs`, `tree.rs`, `overrides.rs`, `walk.rs`, `getters.rs` |
//! | the values, each with its own rules | `scenario.rs`, `load.rs`, `replica.rs`, `ramp.rs`, `keys.rs`, `law.rs`, `event.rs`, `threshold.rs` |
//! | how long things may take | `budgets.rs` |
//! | what is wrong, and where | `problem.rs`, `source.rs`, `nearest.rs` |
//! | the resolved copy | `resolved.rs` |
//! | the plan of requests | `plan.rs`, `plan/`, `draw.rs` |
//! | a rate that changes, and its arrivals | `rate.rs` |
//! | when a client tries again, and how often all may | `retry.rs` |
//! | the origin's service times | `service.rs` |

mod budgets;
mod draw;
mod event;
mod expect;
mod fields;
mod getters;
mod keys;
mod law;
mod load;
mod nearest;
mod overrides;
mod parse;
mod plan;
mod problem;
mod ramp;
mod rate;
mod read;
mod replica;
mod resolved;
mod retry;
mod scenario;
mod service;
mod shipped;
mod source;
mod threshold;
mod tree;
mod walk;

pub use budgets::budgets_for;
pub use event::{Action, Event, Target};
pub use fields::settable;
pub use keys::{KeyKind, Keys, Sample};
pub use law::Law;
pub use load::{Arrivals, Load, LoadKind, OnDown, Start};
pub use nearest::nearest;
pub use plan::{Arrival, ArrivalIter, Item, Op, Plan};
pub use problem::{Problem, ScenarioErrors};
pub use ramp::{Ramp, ramps_in_words};
pub use read::read;
pub use retry::{RETRY_RESERVE, RequestId, Retry, RetryBudget};
pub use scenario::{CacheSettings, OriginModel, Scenario, Warm};
pub use service::ServiceModel;
pub use shipped::shipped;
pub use strategies::units::{duration_text, rate_text, size_text};
pub use threshold::{Bound, METRICS, Threshold};
