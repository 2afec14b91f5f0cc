//! The load: requests driven by the plan, what is recorded of them, and the figures that follow.

pub mod cpu;
pub mod drive;
pub mod environment;
pub mod live;
pub mod measure;
pub mod record;
pub mod replay;
pub mod tape;
mod trace_keys;
