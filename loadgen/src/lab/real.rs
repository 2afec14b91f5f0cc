//! The labs that are not simulated: which one it is, and one that is up.

use std::sync::Arc;

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use report::StrategyFolder;
use scenarios::Plan;

use super::docker::ContainerStack;
use super::endpoints::Endpoints;
use super::local::LocalLab;
use super::preflight::preflight;
use super::trial::{Trial, TrialRunner};
use crate::cli::LabChoice;
use crate::cli::settings::{Settings, Subject};
use crate::load::drive::Pacer;
use crate::load::live::Feed;
use crate::shell::exit::Failure;
use evidence::StackCache;

/// A stack of containers that is up, and where its parts are.
pub type FoundStack = (ContainerStack, Endpoints);

/// Decides which lab it is: with `--lab docker` the containers or an error, with `auto` the containers where they are up and
/// whole. Says in the settings how it was decided, and how many replicas there are.
///
/// # Errors
/// [`Failure`] where there are no such containers, or where the lab can't do what the scenario asks for.
pub async fn choose(settings: &mut Settings) -> Result<Option<FoundStack>, Failure> {
    let found = match settings.lab {
        LabChoice::Docker => Some(ContainerStack::find().await.map_err(|why| {
            Failure::failed(format!("the lab in containers can't be used · --lab docker · {why} (or use --lab local)"))
        })?),
        LabChoice::Auto if settings.wants_containers() => match ContainerStack::find().await {
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
    settings.check_world(found.as_ref().map(|(stack, _)| stack.cache))?;
    Ok(found)
}

/// A world that is up, or a target that is not ours to bring up. Dropping it takes down what was brought up.
pub struct OpenLab {
    /// `local`, `docker` or `target`.
    pub lab: &'static str,
    /// What its cache is; empty where nobody can know.
    pub cache: String,
    /// How the cache was chosen, for people.
    pub cache_note: String,
    endpoints: Endpoints,
    run: String,
    clock: RealClock,
    pacer: Pacer,
    stop: Shutdown,
    feed: Feed,
    _up: Option<LocalLab>,
}

impl OpenLab {
    /// Brings one up for the run of this name, unless one was `found` that is. Must be called on the runtime that will talk to its
    /// control listeners.
    ///
    /// # Errors
    /// [`Failure`] that says which part did not come up, or what the cache refused, and why.
    pub async fn open(
        settings: &Settings,
        found: Option<FoundStack>,
        run: &str,
        stop: Shutdown,
        feed: Feed,
    ) -> Result<Self, Failure> {
        let (endpoints, cache_note, up) = bring_up(settings, found)?;
        let clock = RealClock::start();
        let pacer = Pacer::start(clock).map_err(|e| Failure::failed(format!("no thread for the pacer: {e}")))?;
        let cache = preflight(settings, &endpoints, &cache_note, run).await?;
        let (lab, run) = (endpoints.lab, run.to_owned());
        Ok(Self { lab, cache, cache_note, endpoints, run, clock, pacer, stop, feed, _up: up })
    }

    /// Runs one strategy, and writes its latency log into `files` while it does.
    ///
    /// # Errors
    /// [`Failure`] where the lab fails; what a strategy does badly is in the record.
    pub async fn run(
        &self,
        settings: &Settings,
        plan: Arc<Plan>,
        subject: &Subject,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<Trial, Failure> {
        let Self { endpoints, run, clock, pacer, .. } = self;
        let (stop, feed) = (self.stop.clone(), self.feed.clone());
        let runner = TrialRunner { settings, endpoints, plan, run, clock: *clock, pacer, stop, feed };
        runner.run(subject, files, heading).await
    }
}

/// Where everything is, how the cache was chosen, and what was brought up.
fn bring_up(settings: &Settings, found: Option<FoundStack>) -> Result<(Endpoints, String, Option<LocalLab>), Failure> {
    if let Some(target) = &settings.target {
        let endpoints = Endpoints {
            nodes: None,
            lab: "target",
            sites: target.sites.clone(),
            replicas: Vec::new(),
            origin: target.origin_client(),
            server: None,
            cluster: None,
            stack: None,
        };
        return Ok((endpoints, "the target's own".into(), None));
    }
    if let Some((stack, endpoints)) = found {
        let note = match stack.cache {
            StackCache::OneServer => "the stack's container",
            StackCache::Cluster => "the stack's cluster",
            StackCache::Sentinel => "the stack's, under Sentinel",
        };
        let endpoints = Endpoints { stack: Some(Arc::new(stack)), ..endpoints };
        return Ok((endpoints, note.into(), None));
    }
    let (lab, endpoints, cache_note) = LocalLab::start(settings)?;
    Ok((endpoints, cache_note, Some(lab)))
}
