//! What stands for the labs that are not simulated in a build without them (`--no-default-features`): nothing can be brought up.

use std::convert::Infallible;
use std::sync::Arc;

use app::process::shutdown::Shutdown;
use report::StrategyFolder;
use scenarios::Plan;

use super::trial::Trial;
use crate::cli::settings::{Settings, Subject};
use crate::load::live::Feed;
use crate::shell::exit::Failure;

/// No containers are ever found.
pub type FoundStack = Infallible;

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
