//! One request before the load: whether a target is there, and whether its answers tell how they were made.

use std::sync::Arc;
use std::time::Duration;

use evidence::ErrorKind;
use tokio::task::LocalSet;

use super::connection::Connection;
use super::site::Site;

/// What a target answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The HTTP status.
    pub status: u16,
    /// The cache that its `Cache-Status` names, where it has one.
    pub cache: Option<String>,
}

/// Asks a site for a key, once.
///
/// # Errors
/// The kind of failure, `connect-refused` …
pub async fn probe(site: &Arc<Site>, key: u32, timeout: Duration) -> Result<Probed, ErrorKind> {
    let mut connection = Connection::to(site, timeout);
    let (status, cache) = LocalSet::new().run_until(connection.probe(key)).await?;
    Ok(Probed { status: status.as_u16(), cache })
}
