//! The lab in containers: finds this project's stack, refuses one that is not whole or not of this build, and knows where
//! its parts are now. It brings nothing up and takes nothing down: that is `docker compose`'s business.

mod engine;
mod find;
mod samples;
mod stack;

pub use engine::{Container, Engine, State};
pub use samples::Sampler;
pub(super) use stack::remedy_of;
pub use stack::{ContainerStack, project};
