//! The processes that drive one run together, as one of them sees the others. They meet at the origin, which all of them reach.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use app::process::shutdown::Shutdown;
use app::wire::control::{Meet, Met};
use app::wire::control_client::ControlClient;
use scenarios::Plan;
use serde::{Deserialize, Serialize};
use strategies::time::nanos;
use tokio::sync::watch;

use crate::cli::settings::Settings;
use crate::lab::Endpoints;
use crate::shell::exit::{Exit, Failure};
use crate::shell::part::{PartOf, missing};

/// How long a shard waits for the others to be started: an image may have to be pulled first.
const JOIN_WITHIN: Duration = Duration::from_secs(300);
/// How long the world is asked for what it saw, where shards were lost.
const LOST_WITHIN: Duration = Duration::from_secs(20);
/// How much longer than a meeting may take its answer may.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Under which name the first meeting is.
const JOINING: &str = "the shards of a run";

/// What a shard says of itself at the first meeting.
#[derive(Debug, Serialize, Deserialize)]
struct Joining {
    /// The run's name; the first shard's counts.
    run: String,
    /// What must be the same in all, and its name.
    same: Vec<(String, String)>,
}

impl Joining {
    fn of(settings: &Settings, endpoints: &Endpoints, run: &str) -> Self {
        let plan = Plan::new(settings.seed, &settings.scenario, u32::from(settings.replicas));
        let mut hasher = DefaultHasher::new(); // Whatever it is, it is the same in one build.
        settings.scenario.to_toml().hash(&mut hasher);
        let names: Vec<&str> = settings.subjects.iter().map(|subject| subject.name.as_str()).collect();
        let sites = endpoints.sites.iter().filter_map(|site| Some(site.address()?.to_string()));
        let same = [
            ("build", app::BUILD.to_owned()),
            ("plan", plan.hash()),
            ("seed", settings.seed.to_string()),
            ("repeats", settings.repeats.to_string()),
            ("strategies", names.join(", ")),
            ("scenario", format!("{:016x}", hasher.finish())),
            ("replicas", sites.collect::<Vec<_>>().join(", ")),
        ];
        Self { run: run.to_owned(), same: same.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    fn read(said: Option<&String>) -> Result<Self, Failure> {
        let read = said.and_then(|said| serde_json::from_str(said).ok());
        read.ok_or_else(|| Failure::failed("a shard said nothing of itself: another build's, or a bug"))
    }
}

/// The others, and what became of them.
pub struct JoinedShards {
    /// Which part this process drives.
    pub part: PartOf,
    /// The run's name.
    pub run: String,
    pub(super) origin: ControlClient,
    stop: Shutdown,
    met: AtomicU32,
    lost: watch::Sender<Vec<u32>>,
}

impl JoinedShards {
    /// Waits until all shards are there, and holds them to be of one run.
    ///
    /// # Errors
    /// [`Failure`] where one does not come, or is of another run.
    pub async fn join(
        settings: &Settings,
        endpoints: &Endpoints,
        part: PartOf,
        run: &str,
        stop: Shutdown,
    ) -> Result<Self, Failure> {
        let origin = endpoints.origin.clone().ok_or_else(|| Failure::failed("no origin to meet at: a bug"))?;
        let (met, lost, run) = (AtomicU32::default(), watch::Sender::default(), run.to_owned());
        let mut together = Self { part, run, origin, stop, met, lost };
        let says = Joining::of(settings, endpoints, &together.run);
        let says = serde_json::to_string(&says).map_err(Failure::failed)?;
        let met = together.meet_as(JOINING.into(), says, JOIN_WITHIN).await?;
        all_there(&met, part, "before it began")?;
        let first = Joining::read(met.said.first().and_then(Option::as_ref))?;
        for (index, said) in met.said.iter().enumerate() {
            let other = Joining::read(said.as_ref())?;
            let pairs = first.same.iter().zip(&other.same);
            if let Some(((what, needed), (_, found))) = pairs.into_iter().find(|(needed, found)| needed != found) {
                return Err(Failure::usage(format!(
                    "shards of different runs · shard {index} of {} · found {what} {found}, needed {needed}, as shard 0 has · start all \
                     with one command, and one build",
                    part.of
                )));
            }
        }
        together.run = first.run;
        Ok(together)
    }

    /// Whether this is the first shard, which sets the world up, asks it what it did, and says when t = 0 is.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.part.index == 0
    }

    /// Shards that were lost on the way.
    #[must_use]
    pub fn lost(&self) -> Vec<u32> {
        self.lost.borrow().clone()
    }

    pub(super) fn lose(&self, lost: &[u32]) {
        if !lost.is_empty() {
            self.lost.send_modify(|all| all.extend(lost));
        }
    }

    /// Ends when shards have been lost for so long that what else was to be heard of the run will not be: they may have gone with the
    /// machine that a replica was on.
    pub(crate) async fn given_up(&self) {
        let _ = self.lost.subscribe().wait_for(|lost| !lost.is_empty()).await;
        tokio::time::sleep(LOST_WITHIN).await;
    }

    /// The sentence on those that were lost; `when` says where.
    #[must_use]
    pub fn lost_in_words(&self, when: &str) -> Failure {
        lost_in_words(&self.lost(), self.part, when)
    }

    /// The next meeting of the run.
    pub(super) async fn meet(&self, says: String, within: Duration) -> Result<Met, Failure> {
        let number = self.met.fetch_add(1, Ordering::Relaxed);
        self.meet_as(format!("{} {number}", self.run), says, within).await
    }

    async fn meet_as(&self, name: String, says: String, within: Duration) -> Result<Met, Failure> {
        let PartOf { index, of } = self.part;
        let meet = Meet { name, index, of, says, within_ns: nanos(within) };
        let mut stop = self.stop.clone();
        // One that was stopped still says so where it is over for all.
        let stopped = async {
            stop.wait().await;
            tokio::time::sleep(ANSWER_WITHIN).await;
        };
        tokio::select! {
            biased;
            met = self.origin.post_within(within + ANSWER_WITHIN, "/meet", &meet) => met.map_err(|why| {
                Failure::failed(format!("the shards can't meet at the origin · shard {index} of {of} · {why}"))
            }),
            () = stopped => Err(Failure { exit: Exit::Interrupted, text: "stopped while waiting for the other shards".into() }),
        }
    }
}

/// Refuses a meeting to which not all have come.
pub(super) fn all_there(met: &Met, part: PartOf, when: &str) -> Result<(), Failure> {
    let missing = met.missing();
    if missing.is_empty() { Ok(()) } else { Err(lost_in_words(&missing, part, when)) }
}

fn lost_in_words(lost: &[u32], part: PartOf, when: &str) -> Failure {
    let there = |index| !lost.contains(&index);
    let words = missing(part.of, there).map(|(_, words)| words).unwrap_or_default();
    Failure::invalid(format!(
        "shards of the run were lost {when} · found {} of {}, missing {words} · the run is invalid: start all of them again",
        part.of as usize - lost.len(),
        part.of,
    ))
}
