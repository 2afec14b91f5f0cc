//! The two programs' settings, from flags or environment variables, and how a program starts and stops.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::net::TcpListener;

use crate::process::shutdown::Shutdown;
use crate::process::signals::Endings;
use crate::wire::address::shown;
use crate::wire::auth::ControlToken;

/// Where a program listens, and who may control it.
#[derive(Debug, Args)]
pub struct Listen {
    /// Address of the data listener.
    #[arg(long, env = "LAB_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the control listener; off unless given, and it wants --token-file, too.
    #[arg(long, env = "LAB_CONTROL", requires = "token_file")]
    pub control: Option<SocketAddr>,
    /// File with the control listener's bearer token, at least 16 characters.
    #[arg(long, env = "LAB_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

impl Listen {
    /// Binds the listeners.
    ///
    /// # Errors
    /// Which address or file, and why.
    pub async fn bind(&self) -> anyhow::Result<(TcpListener, Option<(TcpListener, ControlToken)>)> {
        let data = bind(self.listen).await?;
        let (Some(address), Some(file)) = (self.control, &self.token_file) else { return Ok((data, None)) };
        let text = std::fs::read_to_string(file).with_context(|| format!("the token file {}", file.display()))?;
        let token = ControlToken::given(&text).map_err(|e| anyhow!("{}: {e}", file.display()))?;
        Ok((data, Some((bind(address).await?, token))))
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let advice = "is another program on it? choose another with --listen or --control";
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; {advice}"))
}

/// A shutdown that SIGTERM, SIGINT and SIGHUP ask for.
///
/// # Errors
/// Where the system refuses to tell of signals.
pub fn shutdown_on_signals() -> anyhow::Result<Shutdown> {
    let (stop, shutdown) = Shutdown::pair();
    let mut endings = Endings::listen()?;
    tokio::spawn(async move {
        endings.next().await;
        stop.stop();
    });
    Ok(shutdown)
}

/// A Redis URL with the password of a file in it: `redis://user@host:port` becomes `redis://user:password@host:port`.
///
/// # Errors
/// Where the file cannot be read, or the URL has no user for the password to be of.
pub fn redis_url(url: &str, password_file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = password_file else { return Ok(url.to_owned()) };
    let password = std::fs::read_to_string(file).with_context(|| format!("the password file {}", file.display()))?;
    let (user, host) = url.rsplit_once('@').with_context(|| format!("{}: write redis://USER@HOST:PORT", shown(url)))?;
    Ok(format!("{user}:{}@{host}", password.trim()))
}
