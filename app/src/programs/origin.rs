//! The origin program: `origin --listen 127.0.0.1:8090 --database origin.sqlite`.

use std::path::PathBuf;

use crate::origin::{OriginListeners, open, run};
use crate::process::config::{Listen, shutdown_on_signals};
use anyhow::anyhow;
use clap::Parser;

/// The slow origin of the stampede lab.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    listen: Listen,
    /// The SQLite file; made where it is absent.
    #[arg(long, env = "LAB_DATABASE", default_value = "origin.sqlite")]
    database: PathBuf,
}

/// Is it, until a signal ends it.
///
/// # Errors
/// A sentence on what it cannot use.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    crate::process::descriptors::raise();
    let service = open(&cli.database).await.map_err(|e| anyhow!(e))?;
    let (data, control) = cli.listen.bind().await?;
    run(service, OriginListeners { data, control }, shutdown_on_signals()?).await;
    Ok(())
}
