//! What stands for the labs that are not simulated in a build without them (`--no-default-features`): nothing can be brought up.

use std::convert::Infallible;
use std::sync::Arc;

use app::process::shutdown::Shutdown;
use report::StrategyFolder;
use scenarios::Plan;

use super::trial::{Observation, Trial};
use crate::cli::settings::{Settings, Subject};
use crate::load::live::Feed;
use crate::shell::exit::Failure;
use crate::shell::part::PartOf;

/// No stack is ever found.
pub enum FoundStack {}

impl FoundStack {
    /// Its lab.
    #[must_use]
    pub fn lab(&self) -> &'static str {
        match *self {}
    }
}

/// Decides which lab it is.
///
/// # Errors
/// [`Failure`] where it is not the simulated one.
pub async fn choose(settings: &mut Settings) -> Result<Option<FoundStack>, Failure> {
    if settings.simulated {
        return settings.check_world(None).map(|()| None);
    }
    let found = if settings.target.is_some() { "--target" } else { "no --lab sim" };
    Err(Failure::usage(format!(
        "this build has the simulated lab only · {found} · allowed --lab sim · write that, or build with the feature labs: cargo \
         build --release -p loadgen"
    )))
}

/// There is none.
pub struct OpenLab {
    /// The lab's name.
    pub lab: &'static str,
    /// What its cache is.
    pub cache: String,
    /// How the cache was chosen.
    pub cache_note: String,
    /// Whether the origin is somebody's own.
    pub foreign_origin: bool,
    never: Infallible,
}

impl OpenLab {
    /// There is none to bring up.
    ///
    /// # Errors
    /// Always: [`choose`] lets nothing come here but what is simulated.
    pub async fn open(
        _settings: &Settings,
        _found: Option<FoundStack>,
        _run: &str,
        _stop: Shutdown,
        _feed: Feed,
    ) -> Result<Self, Failure> {
        Err(Failure::failed("this build has the simulated lab only"))
    }

    /// There is none to join.
    ///
    /// # Errors
    /// It is never called.
    pub async fn join(
        _settings: &Settings,
        found: FoundStack,
        _part: PartOf,
        _run: &str,
        _stop: Shutdown,
    ) -> Result<Self, Failure> {
        match found {}
    }

    /// The run's name.
    #[must_use]
    pub fn run_name(&self) -> &str {
        match self.never {}
    }

    /// Nobody is lost.
    #[must_use]
    pub fn lost(&self) -> Vec<u32> {
        match self.never {}
    }

    /// Nor is there anything to say of that.
    #[must_use]
    pub fn lost_in_words(&self) -> Option<Failure> {
        match self.never {}
    }

    /// Sees nothing.
    ///
    /// # Errors
    /// It is never called.
    pub async fn observe(
        &self,
        _settings: &Settings,
        _plan: Arc<Plan>,
        _subject: &Subject,
        _files: &StrategyFolder,
        _heading: &str,
    ) -> Result<Observation, Failure> {
        match self.never {}
    }

    /// Runs nothing.
    ///
    /// # Errors
    /// It is never called.
    pub async fn run(
        &self,
        _settings: &Settings,
        _plan: Arc<Plan>,
        _subject: &Subject,
        _files: &StrategyFolder,
        _heading: &str,
    ) -> Result<Trial, Failure> {
        match self.never {}
    }
}
