//! The origin program: `origin --listen 127.0.0.1:8090 --database origin.sqlite`.

use std::path::PathBuf;

use anyhow::anyhow;
use app::origin::{OriginListeners, open, run};
use app::process::config::{Listen, shutdown_on_signals};
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    app::process::descriptors::raise();
    let service = open(&cli.database).await.map_err(|e| anyhow!(e))?;
    let (data, control) = cli.listen.bind().await?;
    run(service, OriginListeners { data, control }, shutdown_on_signals()?).await;
    Ok(())
}
