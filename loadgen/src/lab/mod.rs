//! The labs: each brings a world up and hands over the same endpoints, so that the driver cannot tell them apart.
//!
//! Those that are not simulated are there with the feature `labs` (the default); a build without it has `absent.rs` in their place.

pub mod faults;
pub mod simlab;
pub mod target;
mod target_asks;
pub mod trial;

mod clocks;
mod descriptors;
#[cfg(feature = "labs")]
pub mod docker;
#[cfg(feature = "labs")]
mod endpoints;
#[cfg(feature = "labs")]
mod identities;
#[cfg(feature = "labs")]
mod local;
#[cfg(feature = "labs")]
mod named;
#[cfg(feature = "labs")]
mod preflight;
#[cfg_attr(not(feature = "labs"), path = "absent.rs")]
mod real;
#[cfg(feature = "labs")]
mod server;
#[cfg(feature = "labs")]
mod shards;
mod stack_names;

use scenarios::{ACTIONS, ActionRow, Needs, Scenario};

pub use clocks::{Offset, offset};
pub(crate) use descriptors::check_descriptors;
pub use real::{FoundStack, OpenLab, choose};
pub use stack_names::StackNames;
#[cfg(feature = "labs")]
pub use {endpoints::Endpoints, local::LocalLab};

use evidence::StackCache;

use crate::lab::target::Target;
use crate::shell::exit::Failure;

/// What there is of a world that is not simulated, as far as events need it.
#[derive(Clone, Copy)]
pub struct RealWorld<'a> {
    /// An HTTP service instead of a lab.
    pub target: Option<&'a Target>,
    /// Whether it is a stack that is reached by the names of its parts.
    pub named: bool,
    /// What the containers' cache is, where an engine is asked for them.
    pub docker: Option<StackCache>,
    /// Whether there is a Redis that the generator reaches itself.
    pub server: bool,
    /// Whether the lab started it.
    pub own_server: bool,
    /// Whether the cache is a cluster that the lab started.
    pub own_cluster: bool,
    /// Whether it is a server with a standby that the lab started.
    pub own_sentinel: bool,
}

/// Refuses events that nobody here can make happen.
///
/// # Errors
/// [`Failure`] that names the first one.
pub fn check_events(scenario: &Scenario, world: RealWorld<'_>) -> Result<(), Failure> {
    let RealWorld { target, named, docker, server, own_server, own_cluster, own_sentinel } = world;
    let (origin, cache) = (target.is_none_or(|t| t.origin.is_some()), target.is_none());
    let whose = match (origin, cache) {
        (_, true) if docker.is_some() => "the lab in containers",
        (_, true) if named => "a stack that is reached by names",
        (_, true) => "the local lab",
        (true, false) => "--target with --origin-control",
        (false, false) => "--target without --origin-control",
    };
    let can = |row: &ActionRow| match row.lab {
        Needs::Origin => origin,
        Needs::Cache => cache,
        Needs::Server => server,
        Needs::OwnServer | Needs::OwnServerOrModel => own_server,
        Needs::Containers => docker.is_some(),
        Needs::CacheContainer => docker == Some(StackCache::OneServer),
        Needs::OwnCluster => own_cluster,
        Needs::OwnStandby => own_cluster || own_sentinel,
    };
    for event in &scenario.events {
        let (row, word) = (event.action.kind.row(), event.action.kind.row().word);
        if !can(row) {
            let allowed: Vec<&str> = ACTIONS.iter().filter(|row| can(row)).map(|row| row.word).collect();
            let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
            let others = match (cache, row.lab) {
                (false, _) => "",
                (true, Needs::CacheContainer) if docker.is_some() => {
                    "; the stack's cache is several servers: a stack with one, or --lab sim, can do that"
                }
                (true, lab) if docker.is_some() && lab.is_server() && !lab.is_of_nodes() => {
                    "; the containers' Redis is out of the generator's reach: --lab local can do that"
                }
                (true, _) if named => "; --lab docker, local or sim may",
                (true, Needs::Server) => "; that needs a real Redis: --cache redis, or --redis-server PATH",
                (true, Needs::OwnServer | Needs::OwnServerOrModel) => {
                    "; it is for a Redis that the lab starts itself: leave --redis out, or use --cache redis"
                }
                (true, Needs::OwnCluster) => "; --cache cluster has what it takes, and --lab sim",
                (true, Needs::OwnStandby) => "; --cache cluster and --cache sentinel have what it takes, and --lab sim",
                (true, _) => "; --lab docker or sim can do that",
            };
            return Err(Failure::usage(format!(
                "an event that {whose} can't make happen · [[event]] do = {word:?} at {:?} · found {word}, allowed \
                 {allowed}{others} · take it out",
                event.at
            )));
        }
    }
    Ok(())
}
