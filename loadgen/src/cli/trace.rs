//! `loadgen trace`: other people's traffic, looked at.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The arguments of `trace`.
#[derive(Debug, Clone, Args)]
#[command(disable_help_subcommand = true)]
pub struct TraceArgs {
    /// What to do with it
    #[command(subcommand)]
    pub what: TraceWhat,
}

/// What can be done with a trace.
#[derive(Debug, Clone, Subcommand)]
pub enum TraceWhat {
    /// What a trace is like: rate over time, keys, their popularity, sizes, TTLs, writes; and what herds its keys make at an origin
    Summary(Box<TraceSummaryArgs>),
}

/// What is shown of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceNames {
    /// Their ranks alone
    Hidden,
    /// Names that stand for theirs, the same for the same --seed
    Pseudonyms,
    /// As they are in the file
    Clear,
}

/// The arguments of `trace summary`.
#[derive(Debug, Clone, Args)]
pub struct TraceSummaryArgs {
    /// A CSV file of time_s,key,op,size,ttl_s, of which the last three may be left out; Twitter's published CSV; or an access log of
    /// nginx or Apache; each plain or as gzip
    pub file: PathBuf,
    /// Which of them, where the first rows do not tell
    #[arg(long, value_parser = ["csv", "twitter", "combined"])]
    pub format: Option<String>,
    /// A regular expression whose group is the key: of an access log's request line (`GET /items/(\d+)`), else of the key
    #[arg(long, value_name = "REGEX")]
    pub key: Option<String>,
    /// Only rows from here on, counted from the first one (10m)
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Only rows before this moment, counted from the first one (1h)
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// How long one origin read takes (200ms): with it herds are forecast
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub service_time: Option<String>,
    /// How long a value is fresh (60s), where the trace does not say
    #[arg(long, value_name = "DURATION", requires = "service_time", allow_hyphen_values = true)]
    pub ttl: Option<String>,
    /// How many of the hottest keys are shown
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub top: u16,
    /// What is shown of keys
    #[arg(long, value_enum, default_value = "hidden")]
    pub names: TraceNames,
    /// Seed of pseudonyms
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 42)]
    pub seed: u64,
}
