//! The labs: each brings a world up and hands over the same endpoints, so that the driver cannot tell them apart.

mod clocks;
mod local;

use std::net::SocketAddr;

use app::control_client::ControlClient;
use scenarios::{Action, Scenario};

pub use clocks::{Offset, offset};
pub use local::LocalLab;

use crate::exit::Failure;

/// One replica's two addresses.
#[derive(Clone)]
pub struct ReplicaEnd {
    /// Where requests go.
    pub data: SocketAddr,
    /// Where control goes.
    pub control: ControlClient,
}

/// A world that is up.
#[derive(Clone)]
pub struct Endpoints {
    /// `local`.
    pub lab: &'static str,
    /// By index.
    pub replicas: Vec<ReplicaEnd>,
    /// The origin's control.
    pub origin: ControlClient,
}

/// Refuses events that the local lab can't make happen.
///
/// # Errors
/// [`Failure`] that names the first one.
pub fn check_events(scenario: &Scenario) -> Result<(), Failure> {
    for event in &scenario.events {
        let name = match &event.action {
            Action::Expire { .. }
            | Action::Flush
            | Action::OriginSlow { .. }
            | Action::OriginFail { .. }
            | Action::OriginPause { .. } => continue,
            Action::CacheStop { .. } => "cache-stop",
            Action::CachePause { .. } => "cache-pause",
            Action::CacheRestart => "cache-restart",
            Action::CacheLatency { .. } => "cache-latency",
            Action::NetworkCut { .. } => "network-cut",
            Action::ReplicaKill { .. } => "replica-kill",
            Action::ReplicaPause { .. } => "replica-pause",
            Action::ReplicaRestart { .. } => "replica-restart",
        };
        return Err(Failure::usage(format!(
            "an event that the local lab can't make happen · [[event]] do = {name:?} at {:?} · found {name}, allowed \
             expire, flush, origin-slow, origin-fail, origin-pause · take it out",
            event.at
        )));
    }
    Ok(())
}
