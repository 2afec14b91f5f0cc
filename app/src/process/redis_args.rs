//! The settings of a program that say where the shared cache is, and what a connection to it needs.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use tls::files::{TlsFiles, TlsPart};

use crate::cache::redis_cache::{AddressFlaw, RedisAddress};
use crate::process::config::redis_url;
use crate::wire::address::shown;

/// Where the shared cache is, and what a connection to it needs.
#[derive(Debug, Args)]
pub struct RedisArgs {
    /// The shared cache: redis://USER@HOST:PORT, or rediss://… with TLS; of a cluster several nodes, with commas between them.
    #[arg(long, env = "LAB_REDIS", default_value = "redis://127.0.0.1:6379")]
    pub redis: String,
    /// The addresses are Sentinels', and this is the name by which they know the primary.
    #[arg(long, env = "LAB_REDIS_PRIMARY", value_name = "NAME")]
    pub redis_primary: Option<String>,
    /// File with the password of the shared cache's user, where it wants one.
    #[arg(long, env = "LAB_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub redis_password_file: Option<PathBuf>,
    /// With rediss://: certificates of the authorities that are trusted, PEM; the system's where none is named.
    #[arg(long, env = "LAB_REDIS_CA", value_name = "FILE")]
    pub redis_ca: Option<PathBuf>,
    /// With rediss://: our own certificate, PEM, where the server wants one.
    #[arg(long, env = "LAB_REDIS_CERT", value_name = "FILE", requires = "redis_key")]
    pub redis_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[arg(long, env = "LAB_REDIS_KEY", value_name = "FILE", requires = "redis_cert")]
    pub redis_key: Option<PathBuf>,
    /// With rediss://: the name that the server's certificate must have, where that is not the address's.
    #[arg(long, env = "LAB_REDIS_NAME", value_name = "NAME")]
    pub redis_name: Option<String>,
}

impl RedisArgs {
    /// The address, with everything that is read from files.
    ///
    /// # Errors
    /// Which setting cannot be used, what was found, and the remedy; nothing that a file holds.
    pub fn address(&self) -> anyhow::Result<RedisAddress> {
        let tls = TlsFiles {
            authority: self.redis_ca.clone(),
            own: self.redis_cert.clone().zip(self.redis_key.clone()),
            name: self.redis_name.clone(),
        };
        let mut urls = self.redis.split(',').map(|url| redis_url(url.trim(), self.redis_password_file.as_deref()));
        let url = urls.next().unwrap_or_else(|| Ok(String::new()))?;
        let (others, watched_as) =
            (urls.collect::<Result<_, _>>()?, self.redis_primary.clone().filter(|name| !name.is_empty()));
        let address = RedisAddress { url, password: None, tls, others, watched_as };
        address.check().map_err(|flaw| anyhow!(flaw.clone()).context(self.place(&flaw)))?;
        Ok(address)
    }

    /// Where the setting stands that is wrong.
    fn place(&self, flaw: &AddressFlaw) -> String {
        match flaw {
            AddressFlaw::Url | AddressFlaw::Tail(_) | AddressFlaw::Node => format!("--redis {}", shown(&self.redis)),
            AddressFlaw::NoTls => format!("--redis {} beside --redis-ca, -cert, -key or -name", shown(&self.redis)),
            AddressFlaw::Tls(flaw) => match flaw.part {
                TlsPart::Authority => "--redis-ca (LAB_REDIS_CA)",
                TlsPart::Certificate => "--redis-cert (LAB_REDIS_CERT)",
                TlsPart::Key => "--redis-key (LAB_REDIS_KEY)",
                TlsPart::Name => "--redis-name (LAB_REDIS_NAME)",
            }
            .to_owned(),
        }
    }
}
