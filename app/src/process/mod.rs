//! What a program of the lab needs as a process: settings, secrets, signals, guards, clocks.

pub mod config;
pub mod descriptors;
#[cfg(feature = "programs")]
pub mod guard;
pub mod heartbeat;
#[cfg(feature = "programs")]
pub mod redis_args;
pub mod runtime;
pub mod secrets;
pub mod shutdown;
pub mod signals;
