//! What a run tells of itself.

use std::io::Write as _;

use report::record::{Run, Strategy};

#[cfg(feature = "labs")]
use super::serve;
use super::{Feed, News};
use crate::cli::settings::Settings;
use crate::shell::exit::Failure;

/// The feed of a run, with its page where one was asked for.
///
/// # Errors
/// [`Failure`] for an address that the page can't be served on.
pub fn open(settings: &Settings) -> Result<Feed, Failure> {
    let feed = Feed::new(settings.live.is_some());
    if let Some(address) = settings.live {
        let address = serve(address, feed.clone())?;
        let _ = std::io::stderr().write_all(format!("live     http://{address}/\n").as_bytes());
    }
    Ok(feed)
}

/// There is no server in this build.
#[cfg(not(feature = "labs"))]
fn serve(address: std::net::SocketAddr, _feed: Feed) -> Result<std::net::SocketAddr, Failure> {
    Err(Failure::usage(format!(
        "this build serves no page · --live {address} · found it, allowed none · leave it out, or build with the feature labs: \
         cargo build --release -p loadgen"
    )))
}

impl News {
    /// A run begins.
    #[must_use]
    pub fn run(settings: &Settings, record: &Run) -> Self {
        Self::Run {
            scenario: record.scenario.clone(),
            summary: record.summary.clone(),
            load: record.load.clone(),
            lab: record.lab.clone(),
            warmup_s: record.warmup_s,
            duration_s: record.duration_s,
            runs: settings.subjects.len() * usize::from(settings.repeats),
        }
    }

    /// A strategy is over.
    #[must_use]
    pub fn end(strategy: &Strategy) -> Self {
        let origin = strategy.origin.as_ref();
        Self::End {
            strategy: strategy.name.clone(),
            valid: strategy.valid,
            total: origin.map(|origin| origin.total),
            max_per_second: origin.map(|origin| origin.max_per_second),
            floor: origin.and_then(|origin| origin.floor),
            p99_ms: strategy.latency_ms.p99,
        }
    }
}
