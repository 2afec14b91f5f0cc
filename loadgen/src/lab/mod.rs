//! The labs: each brings a world up and hands over the same endpoints, so that the driver cannot tell them apart.

pub mod faults;
pub mod simlab;
pub mod target;
pub mod trial;

mod clocks;
pub mod docker;
mod endpoints;
mod local;
mod preflight;

use std::sync::Arc;

use scenarios::{ACTIONS, ActionRow, Needs, Scenario};

pub use clocks::{Offset, offset};
pub use endpoints::Endpoints;
pub use local::LocalLab;
pub use preflight::{preflight, status};

use crate::cli::LabChoice;
use crate::cli::settings::Settings;
use crate::lab::target::Target;
use crate::shell::exit::Failure;
use docker::Stack;

/// A stack of containers that is up, and where its parts are.
pub type Found = (Stack, Endpoints);

/// Decides which lab it is: with `--lab docker` the containers or an error, with `auto` the containers where they are up and
/// whole. Says in the settings how it was decided, and how many replicas there are.
///
/// # Errors
/// [`Failure`] where there are no such containers, or where the lab can't do what the scenario asks for.
pub async fn choose(settings: &mut Settings) -> Result<Option<Found>, Failure> {
    let found = match settings.lab {
        LabChoice::Docker => Some(Stack::find().await.map_err(|why| {
            Failure::failed(format!("the lab in containers can't be used · --lab docker · {why} (or use --lab local)"))
        })?),
        LabChoice::Auto if settings.wants_containers() => match Stack::find().await {
            Ok(found) => Some(found),
            Err(why) => {
                settings.lab_note = Some(format!("no containers: {why}"));
                None
            }
        },
        _ => None,
    };
    if let Some((_, endpoints)) = &found {
        settings.replicas = u16::try_from(endpoints.sites.len()).unwrap_or(u16::MAX);
    }
    settings.check_world(found.is_some())?;
    Ok(found)
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
    /// Brings the lab up, unless one was `found` that is. Must be called on the runtime that will talk to its control listeners.
    ///
    /// # Errors
    /// [`Failure`] that says which part did not come up, and why.
    pub fn start(settings: &Settings, found: Option<Found>) -> Result<Self, Failure> {
        if let Some(target) = &settings.target {
            let endpoints = Endpoints {
                lab: "target",
                sites: target.sites.clone(),
                replicas: Vec::new(),
                origin: target.origin_client(),
                stack: None,
            };
            return Ok(Self { endpoints, cache_note: "the target's own".into(), _up: None });
        }
        if let Some((stack, endpoints)) = found {
            let endpoints = Endpoints { stack: Some(Arc::new(stack)), ..endpoints };
            return Ok(Self { endpoints, cache_note: "the stack's container".into(), _up: None });
        }
        let (lab, endpoints, cache_note) = LocalLab::start(settings)?;
        Ok(Self { endpoints, cache_note, _up: Some(lab) })
    }
}

/// Refuses events that nobody here can make happen.
///
/// # Errors
/// [`Failure`] that names the first one.
pub fn check_events(scenario: &Scenario, target: Option<&Target>, docker: bool) -> Result<(), Failure> {
    let (origin, cache) = (target.is_none_or(|t| t.origin.is_some()), target.is_none());
    let whose = match (origin, cache) {
        (_, true) => "the local lab",
        (true, false) => "--target with --origin-control",
        (false, false) => "--target without --origin-control",
    };
    let can = |row: &ActionRow| match row.lab {
        Needs::Origin => origin,
        Needs::Cache => cache,
        Needs::Containers => docker,
    };
    for event in &scenario.events {
        let (row, word) = (event.action.kind.row(), event.action.kind.row().word);
        if !can(row) {
            let allowed: Vec<&str> = ACTIONS.iter().filter(|row| can(row)).map(|row| row.word).collect();
            let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
            let others = if cache { "; --lab docker or sim can do all" } else { "" };
            return Err(Failure::usage(format!(
                "an event that {whose} can't make happen · [[event]] do = {word:?} at {:?} · found {word}, allowed \
                 {allowed}{others} · take it out",
                event.at
            )));
        }
    }
    Ok(())
}
