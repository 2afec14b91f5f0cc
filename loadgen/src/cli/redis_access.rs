//! What reaching a Redis may need beside its address, for `run` and `diagnose` alike: a password that no list of processes shows, and
//! the files of TLS.

use std::path::PathBuf;

use clap::Args;

/// What reaching a Redis may need beside its address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct RedisAccessArgs {
    /// File with the Redis' password; one in the URL is seen by whoever lists this machine's processes
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// With rediss://: certificates of the authorities that are trusted, PEM; the system's where none is named
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// With rediss://: our own certificate, PEM, where the server wants one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// With rediss://: the name that the server's certificate must have, where that is not the address's
    #[arg(long, value_name = "NAME")]
    pub tls_name: Option<String>,
}

impl RedisAccessArgs {
    /// The first of them that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let all = [
            ("--password-file", self.password_file.is_some()),
            ("--tls-ca", self.tls_ca.is_some()),
            ("--tls-cert", self.tls_cert.is_some()),
            ("--tls-key", self.tls_key.is_some()),
            ("--tls-name", self.tls_name.is_some()),
        ];
        all.iter().find(|(_, given)| *given).map(|(flag, _)| *flag)
    }
}
