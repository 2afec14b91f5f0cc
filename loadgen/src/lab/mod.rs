//! The labs: each brings a world up and hands over the same endpoints, so that the driver cannot tell them apart.

mod clocks;
mod local;

use std::sync::Arc;

use app::control_client::ControlClient;
use scenarios::{Action, Scenario};

pub use clocks::{Offset, offset};
pub use local::LocalLab;

use crate::drive::Site;
use crate::exit::Failure;
use crate::settings::Settings;
use crate::target::Target;

/// A world that is up.
#[derive(Clone)]
pub struct Endpoints {
    /// `local` or `target`.
    pub lab: &'static str,
    /// Who is asked, by index.
    pub sites: Vec<Arc<Site>>,
    /// The replicas' control, by index; none of a target.
    pub replicas: Vec<ControlClient>,
    /// The origin's control; a target may have none that is ours.
    pub origin: Option<ControlClient>,
}

/// A lab that is up, or a target that is not ours to bring up. Dropping it takes down what was brought up.
pub struct Lab {
    /// Where everything is.
    pub endpoints: Endpoints,
    /// How the cache was chosen, for people.
    pub cache_note: String,
    _up: Option<LocalLab>,
}

impl Lab {
    /// Brings the lab up. Must be called on the runtime that will talk to its control listeners.
    ///
    /// # Errors
    /// [`Failure`] that says which part did not come up, and why.
    pub fn start(settings: &Settings) -> Result<Self, Failure> {
        if let Some(target) = &settings.target {
            let endpoints = Endpoints {
                lab: "target",
                sites: target.sites.clone(),
                replicas: Vec::new(),
                origin: target.origin_client(),
            };
            return Ok(Self { endpoints, cache_note: "the target's own".into(), _up: None });
        }
        let (lab, endpoints, cache_note) = LocalLab::start(settings)?;
        Ok(Self { endpoints, cache_note, _up: Some(lab) })
    }
}

/// Refuses events that nobody here can make happen.
///
/// # Errors
/// [`Failure`] that names the first one.
pub fn check_events(scenario: &Scenario, target: Option<&Target>) -> Result<(), Failure> {
    let (origin, cache) = (target.is_none_or(|t| t.origin.is_some()), target.is_none());
    let (whose, allowed) = match (origin, cache) {
        (_, true) => ("the local lab", "expire, flush, origin-slow, origin-fail, origin-pause"),
        (true, false) => ("--target with --origin-control", "origin-slow, origin-fail, origin-pause"),
        (false, false) => ("--target without --origin-control", "none"),
    };
    for event in &scenario.events {
        let (name, possible) = match &event.action {
            Action::Expire { .. } => ("expire", cache),
            Action::Flush => ("flush", cache),
            Action::OriginSlow { .. } => ("origin-slow", origin),
            Action::OriginFail { .. } => ("origin-fail", origin),
            Action::OriginPause { .. } => ("origin-pause", origin),
            Action::CacheStop { .. } => ("cache-stop", false),
            Action::CachePause { .. } => ("cache-pause", false),
            Action::CacheRestart => ("cache-restart", false),
            Action::CacheLatency { .. } => ("cache-latency", false),
            Action::NetworkCut { .. } => ("network-cut", false),
            Action::ReplicaKill { .. } => ("replica-kill", false),
            Action::ReplicaPause { .. } => ("replica-pause", false),
            Action::ReplicaRestart { .. } => ("replica-restart", false),
        };
        if !possible {
            return Err(Failure::usage(format!(
                "an event that {whose} can't make happen · [[event]] do = {name:?} at {:?} · found {name}, allowed {allowed} · \
                 take it out",
                event.at
            )));
        }
    }
    Ok(())
}
