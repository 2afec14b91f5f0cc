//! One request before the load: whether a target is there, and whether its answers tell how they were made.

use std::sync::Arc;
use std::time::Duration;

use evidence::ErrorKind;
use tokio::task::LocalSet;

use super::connection::Connection;
use super::probed::Probed;
use super::site::Site;

/// Why a target did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The kind of failure, `connect-refused` …
    pub kind: ErrorKind,
    /// More about it, where there is more.
    pub why: Option<String>,
}

/// Asks a site for a key, once.
///
/// # Errors
/// [`Unanswered`].
pub async fn probe(site: &Arc<Site>, key: u32, timeout: Duration) -> Result<Probed, Unanswered> {
    let mut connection = Connection::to(site, timeout);
    let probed = LocalSet::new().run_until(connection.probe(key)).await;
    probed.map_err(|kind| Unanswered { kind, why: connection.why() })
}
