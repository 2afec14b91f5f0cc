//! The arguments of `advise`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// The arguments of `advise`.
#[derive(Debug, Clone, Args)]
pub struct AdviseArgs {
    /// Requests a second over the whole fleet (400/s)
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, required_unless_present = "trace")]
    pub rate: Option<String>,
    /// What is asked for: hot:N or hot:N:SHARE, zipf:N or zipf:N:EXPONENT, uniform:N, single
    #[arg(long, value_name = "KEYS", allow_hyphen_values = true, required_unless_present = "trace")]
    pub keys: Option<String>,
    /// Recorded traffic instead of --rate and --keys: its reads, with their arrival times; a file as `loadgen trace summary` takes it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "keys"])]
    pub trace: Option<String>,
    /// The trace from here on, counted from its first row (10m)
    #[arg(long, value_name = "DURATION", requires = "trace", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The trace up to here, counted from its first row (1h)
    #[arg(long, value_name = "DURATION", requires = "trace", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// The regular expression that finds the trace's keys
    #[arg(long, value_name = "REGEX", requires = "trace")]
    pub key: Option<String>,
    /// How long a value is fresh (5s)
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub ttl: String,
    /// How long one origin read takes: 200ms, exp:200ms (mean) or lognormal:200ms,600ms (p50, p99)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub service_time: String,
    /// Reads a second that the origin can do (50/s)
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub origin_capacity: String,
    /// How long past its TTL a value may still be served (2s)
    #[arg(long, value_name = "DURATION", default_value = "0s", allow_hyphen_values = true)]
    pub max_stale: String,
    /// Replicas that share the cache
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub replicas: u16,
    /// What to look for instead of the lowest p99: "min origin.total where latency.p99 <= 20ms"
    #[arg(long, value_name = "GOAL", allow_hyphen_values = true)]
    pub goal: Option<String>,
    /// Only one setting of each preset, two seeds, and shorter runs
    #[arg(long)]
    pub quick: bool,
    /// The first seed
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 42)]
    pub seed: u64,
    /// Folder in which the answer's folder is made
    #[arg(short = 'o', long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// What comes out on standard output: words, or advice.json
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Say what would be simulated, and simulate nothing
    #[arg(long)]
    pub dry_run: bool,
}
