//! The labs that are not simulated: which one it is, and one that is up.

use std::sync::Arc;

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use app::wire::control::Identity;
use app::wire::programs::ORIGIN_PROXY;
use report::StrategyFolder;
use scenarios::Plan;

use super::docker::ContainerStack;
use super::endpoints::Endpoints;
use super::local::LocalLab;
use super::preflight::preflight;
use super::trial::{JoinedShards, Observation, Trial, TrialRunner};
use crate::cli::LabChoice;
use crate::cli::settings::{Settings, Subject};
use crate::load::drive::Pacer;
use crate::load::live::Feed;
use crate::shell::exit::Failure;
use crate::shell::part::PartOf;
use evidence::StackCache;

/// A stack that is up.
pub struct FoundStack {
    cache: StackCache,
    endpoints: Endpoints,
}

impl FoundStack {
    /// Its lab.
    #[must_use]
    pub fn lab(&self) -> &'static str {
        self.endpoints.lab
    }
}

/// Decides which lab it is: with `--lab docker` the containers or an error, with `auto` the containers where they are up and
/// whole. Says in the settings how it was decided, and how many replicas there are.
///
/// # Errors
/// [`Failure`] where there are no such containers, or where the lab can't do what the scenario asks for.
pub async fn choose(settings: &mut Settings) -> Result<Option<FoundStack>, Failure> {
    let found = match (&settings.stack, settings.lab) {
        (Some(names), _) => {
            let found = names.find().await;
            Some(found.map_err(|why| Failure::failed(format!("the stack can't be used · --stack · {why}")))?)
        }
        (None, LabChoice::Docker) => Some(ContainerStack::find().await.map_err(|why| {
            Failure::failed(format!("the lab in containers can't be used · --lab docker · {why} (or use --lab local)"))
        })?),
        (None, LabChoice::Auto) if settings.wants_containers() => match ContainerStack::find().await {
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
    settings.check_world(found.as_ref().map(|(cache, _)| *cache))?;
    Ok(found.map(|(cache, endpoints)| FoundStack { cache, endpoints }))
}

/// A world that is up, or a target that is not ours to bring up. Dropping it takes down what was brought up.
pub struct OpenLab {
    /// `local`, `docker` or `target`.
    pub lab: &'static str,
    /// What its cache is; empty where nobody can know.
    pub cache: String,
    /// How the cache was chosen, for people.
    pub cache_note: String,
    /// Whether the origin is somebody's own, behind a counting proxy.
    pub foreign_origin: bool,
    endpoints: Endpoints,
    run: String,
    clock: RealClock,
    pacer: Pacer,
    stop: Shutdown,
    feed: Feed,
    together: Option<JoinedShards>,
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
        let lab = Self::around(settings, endpoints, cache_note, run.to_owned(), stop, feed).await?;
        Ok(Self { _up: up, ..lab })
    }

    /// Joins the other processes that drive one run in a world that is up: the first one sets it up and asks it what it did.
    ///
    /// # Errors
    /// [`Failure`] where not all of them come, or not all with the same run; and as [`OpenLab::open`].
    pub async fn join(
        settings: &Settings,
        found: FoundStack,
        part: PartOf,
        run: &str,
        stop: Shutdown,
    ) -> Result<Self, Failure> {
        let (endpoints, cache_note, _) = bring_up(settings, Some(found))?;
        let together = JoinedShards::join(settings, &endpoints, part, run, stop.clone()).await?;
        let endpoints = if together.leads() { endpoints } else { endpoints.sites_alone() };
        let run = together.run.clone();
        let lab = Self::around(settings, endpoints, cache_note, run, stop, Feed::new(false)).await?;
        Ok(Self { together: Some(together), ..lab })
    }

    async fn around(
        settings: &Settings,
        endpoints: Endpoints,
        cache_note: String,
        run: String,
        stop: Shutdown,
        feed: Feed,
    ) -> Result<Self, Failure> {
        let clock = RealClock::start();
        let pacer = Pacer::start(clock).map_err(|e| Failure::failed(format!("no thread for the pacer: {e}")))?;
        let cache = preflight(settings, &endpoints, &cache_note, &run).await?;
        let lab = endpoints.lab;
        let foreign_origin = is_foreign(settings, &endpoints).await?;
        Ok(Self {
            lab,
            cache,
            cache_note,
            foreign_origin,
            endpoints,
            run,
            clock,
            pacer,
            stop,
            feed,
            together: None,
            _up: None,
        })
    }

    /// The run's name, which is the first process's where several drive it.
    #[must_use]
    pub fn run_name(&self) -> &str {
        &self.run
    }

    /// Which of the processes that drive the run were lost on the way.
    #[must_use]
    pub fn lost(&self) -> Vec<u32> {
        self.together.as_ref().map(JoinedShards::lost).unwrap_or_default()
    }

    /// The sentence on them, where there are any.
    #[must_use]
    pub fn lost_in_words(&self) -> Option<Failure> {
        let together = self.together.as_ref().filter(|together| !together.lost().is_empty());
        together.map(|together| together.lost_in_words("during the load"))
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
        self.runner(settings, plan).run(subject, files, heading).await
    }

    /// The same, but concludes nothing.
    ///
    /// # Errors
    /// As [`OpenLab::run`].
    pub async fn observe(
        &self,
        settings: &Settings,
        plan: Arc<Plan>,
        subject: &Subject,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<Observation, Failure> {
        let runner = self.runner(settings, plan);
        let Some(together) = &self.together else { return runner.observe(subject, files, heading).await };
        tokio::select! {
            seen = runner.observe(subject, files, heading) => seen.map_err(|why| match together.lost().is_empty() {
                true => why,
                false => together.lost_in_words("during the load"),
            }),
            () = together.given_up() => Err(together.lost_in_words("during the load")),
        }
    }

    fn runner<'a>(&'a self, settings: &'a Settings, plan: Arc<Plan>) -> TrialRunner<'a> {
        let Self { endpoints, run, clock, pacer, together, .. } = self;
        let (stop, feed) = (self.stop.clone(), self.feed.clone());
        TrialRunner { settings, endpoints, plan, run, clock: *clock, pacer, stop, feed, together: together.as_ref() }
    }
}

/// Whether a target's origin is behind a counting proxy: then places and service time are its own affair.
async fn is_foreign(settings: &Settings, endpoints: &Endpoints) -> Result<bool, Failure> {
    let (Some(_), Some(origin)) = (&settings.target, &endpoints.origin) else { return Ok(false) };
    let Identity { program, .. } = origin.get("/identity").await.map_err(Failure::failed)?;
    let foreign = program == ORIGIN_PROXY;
    if let (true, Some(event)) = (foreign, settings.scenario.events.first()) {
        let word = event.action.kind.row().word;
        return Err(Failure::usage(format!(
            "an event that a counting proxy can't make happen · [[event]] do = {word:?} · found it with --origin-control of loadgen \
             proxy-origin, allowed none · take it out"
        )));
    }
    Ok(foreign)
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
            proxy: None,
            stack: None,
        };
        return Ok((endpoints, "the target's own".into(), None));
    }
    if let Some(FoundStack { cache, endpoints }) = found {
        let note = match cache {
            StackCache::OneServer => "the stack's container",
            StackCache::Cluster => "the stack's cluster",
            StackCache::Sentinel => "the stack's, under Sentinel",
        };
        return Ok((endpoints, note.into(), None));
    }
    let (lab, endpoints, cache_note) = LocalLab::start(settings)?;
    Ok((endpoints, cache_note, Some(lab)))
}
