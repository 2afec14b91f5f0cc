//! The command line as typed. Nothing here is checked against a scenario; see `settings.rs` for that.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The stampede lab: what cache-stampede strategies do to an origin, in numbers.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; `run` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario's strategies one after the other under the same plan (the default)
    Run(Box<RunArgs>),
    /// List scenarios, presets and layers
    List,
    /// Show a scenario, preset or layer with its parameters and defaults
    Show {
        /// Its name
        name: String,
    },
    /// Render charts, page and summary of a run again, from its records
    Report {
        /// The run's folder
        run: PathBuf,
    },
}

/// Where a lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabChoice {
    /// The best lab that is there
    Auto,
    /// Replica and origin containers (not in this version)
    Docker,
    /// Replicas, origin and cache on loopback
    Local,
    /// Virtual time (not in this version)
    Sim,
}

/// Which shared cache the local lab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheChoice {
    /// A private redis-server where one is installed, else memory
    Auto,
    /// A private redis-server
    Redis,
    /// The embedded memory cache
    Memory,
}

/// What makes the next request come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arrival {
    /// A client's own answer
    Closed,
    /// The clock, with independent exponential gaps
    Poisson,
    /// The clock, with equal gaps
    Constant,
}

/// What comes out on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A verdict table
    Text,
    /// run.json
    Json,
}

/// The arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// A shipped scenario's name, or a scenario file
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub scenario: Option<String>,
    /// Where to run it
    #[arg(long, value_enum, default_value = "auto")]
    pub lab: LabChoice,
    /// Presets or SPECs, separated by commas, or `all` presets; the scenario's own list where nothing is said
    #[arg(long, value_name = "a,b|SPEC|all")]
    pub strategy: Option<String>,
    /// A Redis server to use as the shared cache: redis://HOST:PORT or redis+unix:///PATH
    #[arg(long, value_name = "URL", conflicts_with = "cache")]
    pub redis: Option<String>,
    /// The shared cache
    #[arg(long, value_enum, default_value = "auto")]
    pub cache: CacheChoice,
    /// Length of the measured phase (60s, 5m)
    #[arg(short = 'd', long, value_name = "DURATION", allow_hyphen_values = true)]
    pub duration: Option<String>,
    /// Length of the warm-up (5s)
    #[arg(short = 'w', long, value_name = "DURATION", allow_hyphen_values = true)]
    pub warmup: Option<String>,
    /// Closed-loop clients
    #[arg(short = 'c', long, value_name = "N", allow_hyphen_values = true)]
    pub clients: Option<String>,
    /// Open loop: requests a second over the whole fleet (400/s)
    #[arg(short = 'r', long, value_name = "RATE", allow_hyphen_values = true, conflicts_with = "clients")]
    pub rate: Option<String>,
    /// What makes the next request come
    #[arg(long, value_enum)]
    pub arrival: Option<Arrival>,
    /// Replicas that share the cache
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub replicas: u16,
    /// Seed of the plan and of every random draw
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// Set a field of the scenario: --set cache.ttl=10s
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Folder in which the run's folder is made
    #[arg(short = 'o', long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// What comes out on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Say what would be run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}
