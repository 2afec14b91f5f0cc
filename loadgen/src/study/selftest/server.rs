//! What commands cost a private Redis of this machine: what `[cache.simulated]` takes.

#[cfg(feature = "labs")]
use app::cache::redis_cache::{ServerCosts, server_costs};
#[cfg(feature = "labs")]
use app::cache::redis_server::{PrivateRedis, installed};
use schemars::JsonSchema;
use serde::Serialize;

use crate::shell::exit::Failure;

/// Reads of a small value, and of one of 64 KiB.
#[cfg(feature = "labs")]
const READS: usize = 100_000;
#[cfg(feature = "labs")]
const LARGE_READS: usize = 4_000;

/// What commands cost a private Redis, in processor time of its main thread.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MeasuredServer {
    /// A GET of one byte, sixteen at a time, microseconds.
    pub command_us: f64,
    /// Each MiB that a GET of 64 KiB carries besides, microseconds.
    pub per_mib_us: f64,
    /// MiB a second that came over one connection on loopback meanwhile.
    pub mib_per_s: f64,
}

/// Of the `redis-server` that is installed; `None` where none is.
///
/// # Errors
/// [`Failure`] where it does not start, or does not answer.
#[cfg(feature = "labs")]
pub(super) fn measure() -> Result<Option<MeasuredServer>, Failure> {
    let Some(program) = installed() else { return Ok(None) };
    let failed = |why: String| Failure::failed(format!("a private Redis could not be measured · {why}"));
    let redis = PrivateRedis::start(&program, &[]).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| failed(e.to_string()))?;
    let costs = runtime.block_on(server_costs(redis.url().as_str(), READS, LARGE_READS)).map_err(failed)?;
    Ok(Some(costs.into()))
}

/// A build without the real labs starts no server.
///
/// # Errors
/// None.
#[cfg(not(feature = "labs"))]
#[allow(clippy::unnecessary_wraps, reason = "as in a build with them")]
pub(super) fn measure() -> Result<Option<MeasuredServer>, Failure> {
    Ok(None)
}

#[cfg(feature = "labs")]
impl From<ServerCosts> for MeasuredServer {
    fn from(costs: ServerCosts) -> Self {
        let hundredths = |us: f64| (us * 100.0).round() / 100.0;
        Self {
            command_us: hundredths(costs.command.as_secs_f64() * 1e6),
            per_mib_us: hundredths(costs.per_mib.as_secs_f64() * 1e6),
            mib_per_s: costs.mib_per_s.round(),
        }
    }
}

/// Its line, and what a scenario would say for it.
pub(super) fn text(server: Option<&MeasuredServer>) -> String {
    let Some(MeasuredServer { command_us, per_mib_us, mib_per_s }) = server else {
        return "cache server no redis-server is installed\n".to_owned();
    };
    format!(
        "cache server {command_us} µs of its main thread a command, {per_mib_us} µs a MiB; {mib_per_s} MiB/s over loopback\n             \
         as [cache.simulated]: command = \"{:.0}ns\", per_mib = \"{:.0}us\"\n",
        command_us * 1e3,
        per_mib_us
    )
}
