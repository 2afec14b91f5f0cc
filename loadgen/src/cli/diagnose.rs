//! The arguments of `diagnose`.

use std::path::PathBuf;

use clap::Args;

use super::format::Format;

/// The arguments of `diagnose`.
#[derive(Debug, Clone, Args)]
pub struct DiagnoseArgs {
    /// The server: redis://USER@HOST:PORT/DB, rediss://… with TLS, or redis+unix:///PATH
    pub url: String,
    /// File with the password; one in the URL is seen by whoever lists this machine's processes
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
    /// The most keys that are looked at
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = diagnose::look::SAMPLE_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(diagnose::look::SAMPLE_MAX)))]
    pub sample: u32,
    /// Listen to the commands of others for so long, 10s at most: MONITOR costs a busy server much of its throughput
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub monitor: Option<String>,
    /// Look again and again, so far apart, and say only what changed, until interrupted
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub watch: Option<String>,
    /// What comes out on standard output: words, or JSON (with --watch a line a look that changed something)
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}
