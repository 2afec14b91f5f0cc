//! What the lab's programs say to one another over HTTP, and how it is served.

pub mod address;
pub mod auth;
pub mod control;
pub mod control_client;
pub mod headers;
pub mod health;
pub mod item;
pub(crate) mod metrics;
pub mod origin_client;
pub mod programs;
pub(crate) mod refuse;
pub mod serve;
pub(crate) mod value;
