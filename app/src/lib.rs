//! One replica and the origin service, as axum routers that are values; and the adapters to Redis, SQLite and HTTP.
//!
//! | idea | where |
//! |---|---|
//! | the replica: data, control, metrics, its event log | [`replica`] |
//! | the origin: places and queue, ledger, faults, SQLite | [`origin`] |
//! | a counting proxy in front of somebody's own origin | [`origin_proxy`] |
//! | Redis behind the cache and lease ports, bounded | [`cache::redis_cache`], [`cache::envelope`] |
//! | a private `redis-server`, a folder, that never outlive us | [`cache::redis_server`], [`process::guard`] |
//! | the origin behind its port, over HTTP | [`wire::origin_client`] |
//! | real time, background work | [`process::runtime`] |
//! | listeners, limits, shutdown, who may use control | [`wire::serve`], [`process::signals`], [`wire::auth`], [`process::shutdown`] |
//! | addresses as they may be printed and kept | [`wire::address`] |
//! | a TCP proxy that slows Redis down, and the injector's hand on it | [`cache::cache_proxy`] |
//! | replica, origin and tools as programs | [`programs`] |
//! | the containers' secrets and health checks | [`process::secrets`], [`wire::health`] |
//! | `/metrics` for Prometheus | [`replica`], [`origin`] |
//! | the JSON between lab and programs, and its client | [`wire::control`], [`wire::control_client`] |

#[cfg(feature = "programs")]
pub mod cache;
#[cfg(feature = "programs")]
pub mod origin;
#[cfg(feature = "programs")]
pub mod origin_proxy;
pub mod process;
#[cfg(feature = "programs")]
pub mod programs;
#[cfg(feature = "programs")]
pub mod replica;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;

/// A hash of the sources that this build was made from (`build.rs`).
pub const BUILD: &str = env!("LAB_BUILD");

/// The largest body that a control listener reads.
#[cfg(feature = "programs")]
const CONTROL_BODY_MAX: usize = 64 << 10;
/// The same of a start, which may have a number for each of ten million items.
#[cfg(feature = "programs")]
const START_BODY_MAX: usize = 128 << 20;
