//! The arguments of `diagnose`.

use clap::Args;

use super::format::Format;
use super::redis_access::RedisAccessArgs;

/// The arguments of `diagnose`.
#[derive(Debug, Clone, Args)]
pub struct DiagnoseArgs {
    /// The server: redis://USER@HOST:PORT/DB, rediss://… with TLS, or redis+unix:///PATH
    pub url: String,
    /// What reaching it may need.
    #[command(flatten)]
    pub access: RedisAccessArgs,
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
