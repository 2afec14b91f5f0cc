//! One replica and the origin service, as axum routers that are values; and the adapters to Redis, SQLite and HTTP.
//!
//! | idea | where |
//! |---|---|
//! | the replica: data, control, metrics, its event log | [`replica`] |
//! | the origin: places and queue, ledger, faults, SQLite | [`origin`] |
//! | Redis behind the cache and lease ports, bounded | [`redis_cache`], [`envelope`] |
//! | a private `redis-server`, a folder, that never outlive us | [`redis_server`], [`guard`] |
//! | the origin behind its port, over HTTP | [`origin_client`] |
//! | real time, background work | [`runtime`] |
//! | listeners, limits, shutdown, who may use control | [`serve`], [`signals`], [`auth`] |
//! | addresses as they may be printed and kept | [`address`] |
//! | a TCP proxy that slows Redis down, and the injector's hand on it | [`cache_proxy`] |
//! | the containers' secrets and health checks | [`secrets`], [`health`] |
//! | `/metrics` for Prometheus | [`replica`], [`origin`] |
//! | the JSON between lab and programs, and its client | [`control`], [`control_client`] |

pub mod address;
pub mod auth;
pub mod cache_proxy;
pub mod cache_source;
pub mod config;
pub mod control;
pub mod control_client;
pub mod descriptors;
pub mod envelope;
pub mod guard;
pub mod health;
pub mod heartbeat;
pub mod item;
mod metrics;
pub mod origin;
pub mod origin_client;
pub mod redis_cache;
pub mod redis_server;
mod refuse;
pub mod refused;
pub mod replica;
pub mod runtime;
pub mod secrets;
pub mod serve;
pub mod signals;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

/// A hash of the sources that this build was made from (`build.rs`).
pub const BUILD: &str = env!("LAB_BUILD");

/// The largest body that a control listener reads.
const CONTROL_BODY_MAX: usize = 64 << 10;
