//! Whether this process may have as many connections as a closed load needs.

use crate::cli::settings::Settings;
use crate::shell::exit::Failure;

/// Descriptors beside those of the connections: listeners, SQLite, Redis, files.
const DESCRIPTORS_BESIDE: u64 = 600;

/// A connection has two ends, and in the local lab both are this process's. An open loop makes more connections as it needs
/// them; what it lacks then makes the run invalid.
///
/// # Errors
/// [`Failure`] where the limit is too low.
pub(crate) fn check_descriptors(settings: &Settings) -> Result<(), Failure> {
    if settings.simulated {
        return Ok(());
    }
    let kind = &settings.scenario.load.kind;
    let Some(clients) = kind.clients_max() else { return Ok(()) };
    let needed = u64::from(clients) * u64::from(settings.replicas) * 2 + DESCRIPTORS_BESIDE;
    match app::process::descriptors::raise() {
        Some(limit) if limit < needed => Err(Failure::usage(format!(
            "too few file descriptors · ulimit -Hn · found {limit}, needed about {needed} for {clients} clients and {} \
             replicas · raise the hard limit, or lower load.clients{}",
            settings.replicas,
            if kind.clients_ramp() { " and the ramps' clients" } else { "" }
        ))),
        _ => Ok(()),
    }
}
