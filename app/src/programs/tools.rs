//! What a stack of containers needs beside replicas and origin: `lab secrets`, `lab health`, `lab cache-proxy`, `lab form-cluster`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::cache::cache_proxy::{CacheProxy, ProxyListeners, run};
use crate::cache::redis_nodes::form_cluster;
use crate::process::config::{Listen, shutdown_on_signals};
use crate::process::redis_args::RedisArgs;
use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};

/// The stampede lab's tools in its containers.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the stack's secrets where they are absent
    Secrets {
        /// The folder with a volume for each part of the stack
        folder: PathBuf,
    },
    /// Ask a listener of this container for its health; the exit code is the answer
    Health {
        /// The listener
        address: SocketAddr,
    },
    /// Make one cluster of all nodes that --redis names, the first half of them primaries
    FormCluster {
        #[command(flatten)]
        redis: Box<RedisArgs>,
    },
    /// Pass connections on to Redis, later where the lab says so
    CacheProxy {
        #[command(flatten)]
        listen: Listen,
        #[command(flatten)]
        redis: Box<RedisArgs>,
    },
}

/// Is it, until a signal ends it.
///
/// # Errors
/// A sentence on what it cannot use.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Secrets { folder } => crate::process::secrets::make(&folder).map_err(|e| anyhow!(e)),
        Command::Health { address } => crate::wire::health::check(address).map_err(|e| anyhow!(e)),
        Command::FormCluster { redis } => {
            let address = redis.address()?;
            let formed = tokio::task::spawn_blocking(move || form_cluster(&address)).await?;
            formed.map_err(|e| anyhow!(e))
        }
        Command::CacheProxy { listen, redis } => {
            crate::process::descriptors::raise();
            let proxy = CacheProxy::new(redis.address()?).map_err(|e| anyhow!("--redis: {e}"))?;
            let (data, control) = listen.bind().await?;
            let control =
                control.context("a cache proxy is controlled or of no use: give --control and --token-file")?;
            run(proxy, ProxyListeners { data, control }, shutdown_on_signals()?).await;
            Ok(())
        }
    }
}
