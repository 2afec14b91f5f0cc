//! What the lab's programs say to one another over HTTP, and how it is served.

pub mod address;
#[cfg(feature = "programs")]
pub(crate) mod admit;
pub mod auth;
pub mod control;
pub mod control_client;
pub mod headers;
pub mod health;
pub mod item;
#[cfg(feature = "programs")]
pub(crate) mod listener;
#[cfg(feature = "programs")]
pub(crate) mod metrics;
#[cfg(feature = "programs")]
pub mod origin_client;
pub mod programs;
#[cfg(feature = "programs")]
pub(crate) mod refuse;
pub mod refused;
#[cfg(feature = "programs")]
pub mod serve;
