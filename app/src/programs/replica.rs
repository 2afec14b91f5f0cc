//! The replica program: `app --listen 127.0.0.1:8080 --redis redis://127.0.0.1 --origin http://127.0.0.1:8090`.

use std::sync::Arc;

use crate::cache::redis_cache::RedisSource;
use crate::process::config::{Listen, shutdown_on_signals};
use crate::process::redis_args::RedisArgs;
use crate::process::runtime::RealClock;
use crate::replica::{Replica, ReplicaListeners, ReplicaSettings, run};
use crate::wire::address::shown;
use crate::wire::origin_client::HttpOrigin;
use anyhow::anyhow;
use clap::Parser;

/// One replica of the stampede lab.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    redis: RedisArgs,
    /// The origin's base URL.
    #[arg(long, env = "LAB_ORIGIN", default_value = "http://127.0.0.1:8090")]
    origin: String,
    /// This replica's index in the fleet, from 0.
    #[arg(long, env = "LAB_REPLICA", default_value_t = 0)]
    index: u16,
}

/// Is it, until a signal ends it.
///
/// # Errors
/// A sentence on what it cannot use.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    crate::process::descriptors::raise();
    let clock = RealClock::start();
    let cache = Arc::new(RedisSource::new(cli.redis.address()?)?);
    let origin = Arc::new(HttpOrigin::new(&cli.origin, clock).map_err(|e| anyhow!(e))?);
    let described = format!("redis {}, origin {}", shown(&cli.redis.redis), shown(&cli.origin));
    let settings = ReplicaSettings { index: cli.index, cache, origin, clock, described };
    let replica = Replica::new(settings).map_err(|e| anyhow!(e))?;
    let (data, control) = cli.listen.bind().await?;
    run(replica, ReplicaListeners { data, control }, shutdown_on_signals()?).await;
    Ok(())
}
