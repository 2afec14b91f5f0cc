//! The command line as typed. Nothing here is checked against a scenario; see `settings.rs` for that.

mod advise_args;
mod choices;
#[cfg(feature = "labs")]
pub mod diagnose;
mod format;
mod fuzz;
pub mod history;
pub mod lists;
pub(crate) mod pages;
#[cfg(feature = "labs")]
pub mod proxy_origin;
#[cfg(feature = "labs")]
pub(crate) mod reach;
pub mod redis_access;
pub mod refusal;
pub mod schema;
pub mod sections;
pub mod settings;
pub mod shell_args;
pub mod shells;
pub mod target_args;
pub mod trace;
#[cfg(feature = "labs")]
pub(crate) mod trust;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::shell::part::PartOf;
use crate::study::noise::NOISES;
pub use advise_args::AdviseArgs;
pub use choices::{ArrivalChoice, CacheChoice, LabChoice};
pub use format::Format;
pub use fuzz::FuzzArgs;
use redis_access::RedisAccessArgs;
use target_args::TargetArgs;

/// Where baselines lie if nothing else is said.
pub(crate) const BASELINES: &str = "results/baseline";

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
    /// Measure the generator itself: its cost a request, and how punctual it is
    Selftest(SelftestArgs),
    /// Run a scenario at every point of a grid of settings, in virtual time
    Sweep(Box<SweepArgs>),
    /// The highest load that each strategy bears under conditions of yours, and which figure gives way first
    Capacity(Box<CapacityArgs>),
    /// Make one run of the parts that `run --shard I/N` made, or one sweep of those of `sweep --points I/N`
    Merge(MergeArgs),
    /// Which strategy, with which settings, for my numbers: by simulation, in seconds
    Advise(Box<AdviseArgs>),
    /// Look at a Redis, reading only: what is wrong, why it matters, what cures it; 10 where that is more than a note
    #[cfg(feature = "labs")]
    Diagnose(diagnose::DiagnoseArgs),
    /// Hold a run to a baseline: 10 where a figure changed, 3 where they can't be compared
    Gate(GateArgs),
    /// Make a run the baseline that later ones are held to
    Promote(PromoteArgs),
    /// Compare runs with repeats, strategy by strategy: by how much, how sure, and what to call it
    Compare(CompareArgs),
    /// Run a strategy against itself, to measure how far the same thing may differ on this machine
    Aa(Box<RunArgs>),
    /// Play seeds in small simulated worlds in which things go wrong, and check every invariant
    Fuzz(FuzzArgs),
    /// Check the invariants over a run's records: events.jsonl and origin.csv
    Check {
        /// The run's folder
        run: PathBuf,
    },
    /// A counting reverse proxy to put in front of your own origin: who reads what, when, for `run --target … --origin-control`
    #[cfg(feature = "labs")]
    ProxyOrigin(proxy_origin::ProxyOriginArgs),
    /// Other people's traffic: what a trace is like, and what herds it makes
    Trace(trace::TraceArgs),
    /// Render charts, page and summary of a run again, from its records
    Report(ReportArgs),
    /// A page of all runs below a folder, and since when each figure is what it is
    History(history::HistoryArgs),
    /// JSON Schemas of the JSON files that the lab writes: a list, one, or all as files
    Schema(SchemaArgs),
    /// What a shell needs to complete words: bash, zsh or fish
    Completions(shell_args::CompletionsArgs),
    /// Manual pages, as files
    Man(shell_args::ManArgs),
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
    /// A stack of containers whose parts this process finds by these names, for it runs beside them: of the replicas, the origin, and
    /// the cache proxy. Used where nothing else is chosen
    #[arg(long, value_name = "APP,ORIGIN,PROXY", env = "LAB_STACK")]
    pub stack: Option<String>,
    /// With --stack: the file of the token that control listeners ask for
    #[arg(long, value_name = "FILE", env = "LAB_TOKEN_FILE", default_value = "/secrets/control/token")]
    pub token_file: PathBuf,
    /// Presets or SPECs, separated by commas, or `all` presets; the scenario's own list where nothing is said
    #[arg(long, value_name = "a,b|SPEC|all")]
    pub strategy: Option<String>,
    /// A Redis server to use as the shared cache: redis://HOST:PORT, rediss://… with TLS, redis+unix:///PATH, or a cluster's nodes, separated by commas, or Sentinels with --redis-primary
    #[arg(long, value_name = "URL", conflicts_with = "cache", group = "elsewhere")]
    pub redis: Option<String>,
    /// The addresses of --redis are Sentinels', and this is the name by which they know the primary
    #[arg(long, value_name = "NAME", requires = "redis")]
    pub redis_primary: Option<String>,
    /// What reaching it may need.
    #[command(flatten)]
    pub access: RedisAccessArgs,
    /// The shared cache
    #[arg(long, value_enum, default_value = "auto")]
    pub cache: CacheChoice,
    /// The program that a private server is started from: a redis-server or a valkey-server; that on the PATH where nothing is said
    #[arg(long, value_name = "PATH", conflicts_with = "redis")]
    pub redis_server: Option<PathBuf>,
    /// Any HTTP service instead of a lab, may be repeated: http://HOST:PORT/path/{key} or https://…; {key} is replaced
    #[arg(long, value_name = "URL", num_args = 1.., group = "elsewhere", conflicts_with_all = ["strategy", "lab", "redis", "cache", "redis_server", "replicas"])]
    pub target: Vec<String>,
    /// How it is asked.
    #[command(flatten)]
    pub asked: TargetArgs,
    /// Leave to load a target, or a Redis, that is not loopback
    #[arg(long, requires = "elsewhere")]
    pub i_own_this_target: bool,
    /// The most that may be asked of a target (500/s); 1000/s where it is not loopback
    #[arg(long, value_name = "RATE", requires = "target")]
    pub max_rate: Option<String>,
    /// Control listener of the lab's origin program behind a target: http://HOST:PORT
    #[arg(long, value_name = "URL", requires = "target", requires = "origin_token_file")]
    pub origin_control: Option<String>,
    /// File with that listener's token
    #[arg(long, value_name = "FILE", requires = "origin_control")]
    pub origin_token_file: Option<PathBuf>,
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
    /// Instead of a rate: a recorded trace, replayed with its arrival times; --set load.speed=2, load.from, load.to, load.key and
    /// others say how
    #[arg(long, value_name = "FILE", conflicts_with_all = ["clients", "rate", "arrival", "duration"])]
    pub trace: Option<String>,
    /// What makes the next request come
    #[arg(long, value_enum)]
    pub arrival: Option<ArrivalChoice>,
    /// Replicas that share the cache: 3 where nothing is said; in containers as many as are up
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub replicas: Option<u16>,
    /// Seed of the plan and of every random draw
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 42)]
    pub seed: u64,
    /// How often: each repeat runs every strategy once, in an order that the seed decides, with the next seed's plan; once
    /// where nothing is said (`aa`: 10 times)
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub repeats: Option<u16>,
    /// Set a field of the scenario: --set cache.ttl=10s
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// A threshold of every strategy that runs, may be repeated: 'origin.per_expiry.max <= 1'; 99 where one is missed
    #[arg(long = "assert", value_name = "'METRIC <= VALUE'", allow_hyphen_values = true)]
    pub asserts: Vec<String>,
    /// Folder in which the run's folder is made
    #[arg(short = 'o', long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// Folder of what `loadgen aa` measured, for the comparisons of repeats
    #[arg(long, value_name = "DIR", default_value = NOISES)]
    pub noise: PathBuf,
    /// What comes out on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// No progress on standard error
    #[arg(long)]
    pub quiet: bool,
    /// Serve a page that draws the run as it happens, on this loopback address; on any free port where none is given
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    pub live: Option<SocketAddr>,
    /// Send the run's flights and origin reads, when it is over, as spans to an OpenTelemetry collector: http://HOST:PORT of its OTLP/HTTP receiver
    #[arg(long, value_name = "URL", conflicts_with_all = ["shard", "dry_run"])]
    pub otlp: Option<String>,
    /// Drive only each Nth request (or client) of the plan, from the Ith on, while N-1 other processes drive the rest; /N where
    /// JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID or LAB_TASK_SLOT has I. `merge` makes the run of them
    #[arg(long, value_name = "I/N", value_parser = PartOf::read, conflicts_with_all = ["target", "live", "asserts"])]
    pub shard: Option<PartOf>,
    /// Say what would be run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The arguments of `sweep`: its own, and those of `run`.
#[derive(Debug, Clone, Args)]
pub struct SweepArgs {
    /// A knob and its values, may be repeated: xfetch.beta=0.5..3:0.25 or cache.ttl=2s,5s,10s
    #[arg(long, value_name = "KNOB=VALUES", required = true, allow_hyphen_values = true)]
    pub vary: Vec<String>,
    /// Seeds that each setting is run with, from --seed on
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub seeds: u16,
    /// What to look for: "min origin.total where latency.p99 <= 20ms and stale.share <= 1%"
    #[arg(long, value_name = "GOAL", allow_hyphen_values = true)]
    pub goal: Option<String>,
    /// Run only each Nth setting, from the Ith on (from 0); /N where JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID or LAB_TASK_SLOT has I
    #[arg(long, value_name = "I/N", value_parser = PartOf::read)]
    pub points: Option<PartOf>,
    /// The scenario and what is set in it.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The arguments of `capacity`: its own, and those of `run`.
#[derive(Debug, Clone, Args)]
pub struct CapacityArgs {
    /// What to look for: "max load.rate where latency.p99 <= 50ms and errors.share <= 0.1%"; any number that --set knows
    #[arg(long, value_name = "max FIELD where …", allow_hyphen_values = true)]
    pub find: String,
    /// The lowest value that is tried; a 64th of the scenario's own where nothing is said
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The highest value that is tried; 64 times the scenario's own where nothing is said
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// How far the lowest value that fails may lie above the highest that holds: 0.1% to 50%
    #[arg(long, value_name = "SHARE", default_value = "2%", allow_hyphen_values = true)]
    pub precision: String,
    /// How many of the runs of a value must meet every condition; all of them where nothing is said. --repeats says how many
    /// there are (3 where nothing is said), each with the next seed
    #[arg(long, value_name = "K", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub hold: Option<u16>,
    /// The scenario and what is set in it.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The arguments of `merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// The parts' folders, in any order; or a folder that they are in
    #[arg(required = true, value_name = "DIR")]
    pub parts: Vec<PathBuf>,
    /// Folder in which the folder of the whole is made
    #[arg(short = 'o', long, value_name = "DIR", default_value = "results")]
    pub output: PathBuf,
    /// What comes out on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// The arguments of `gate`.
#[derive(Debug, Clone, Args)]
pub struct GateArgs {
    /// The baseline, or the folder where it is kept as SCENARIO.LAB.json
    #[arg(long, value_name = "PATH", default_value = BASELINES)]
    pub baseline: PathBuf,
    /// Of real runs: hold times to the baseline as well, which needs repeats and the same quiet machine
    #[arg(long)]
    pub strict_time: bool,
    /// Folder of what `loadgen aa` measured
    #[arg(long, value_name = "DIR", default_value = NOISES)]
    pub noise: PathBuf,
    /// The run's folder, or its run.json
    pub run: PathBuf,
}

/// The arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The folder of the run that the others are compared with
    pub base: PathBuf,
    /// The other runs' folders
    #[arg(required = true)]
    pub new: Vec<PathBuf>,
    /// Folder of what `loadgen aa` measured
    #[arg(long, value_name = "DIR", default_value = NOISES)]
    pub noise: PathBuf,
    /// What comes out on standard output: a table, or the same as JSON
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// The arguments of `report`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub struct ReportArgs {
    /// Several runs instead of one.
    #[command(subcommand)]
    pub what: Option<ReportWhat>,
    /// The folder of a run or of a sweep
    #[arg(required = true)]
    pub run: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long)]
    pub open: bool,
}

/// What else `report` does.
#[derive(Debug, Clone, Subcommand)]
pub enum ReportWhat {
    /// One page of several runs side by side, which says what differs between them
    Compare(SideBySideArgs),
}

/// The arguments of `report compare`.
#[derive(Debug, Clone, Args)]
pub struct SideBySideArgs {
    /// The runs' folders
    #[arg(required = true, num_args = 2..)]
    pub runs: Vec<PathBuf>,
    /// The page; comparison.html beside the first run where nothing is said
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long)]
    pub open: bool,
}

/// The arguments of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Which: run, or the id that the file itself carries, stampede.run/v1; a list of all where nothing is said
    pub name: Option<String>,
    /// Folder to write schemas to, as stampede.run.v1.json and so on: that of NAME, or all
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// The arguments of `promote`.
#[derive(Debug, Clone, Args)]
pub struct PromoteArgs {
    /// Folder of baselines; the file in it is SCENARIO.LAB.json
    #[arg(long, value_name = "DIR", default_value = BASELINES)]
    pub baseline_dir: PathBuf,
    /// The run's folder, or its run.json
    pub run: PathBuf,
}

/// The arguments of `selftest`.
#[derive(Debug, Clone, Args)]
pub struct SelftestArgs {
    /// A server on loopback to drive instead of the built-in one that does nothing
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Length of each of the two measurements
    #[arg(short = 'd', long, value_name = "DURATION", default_value = "5s", allow_hyphen_values = true)]
    pub duration: String,
    /// Connections of the closed loop
    #[arg(short = 'c', long, value_name = "N", default_value = "50", allow_hyphen_values = true)]
    pub connections: String,
    /// Rate of the open loop
    #[arg(short = 'r', long, value_name = "RATE", default_value = "1000/s", allow_hyphen_values = true)]
    pub rate: String,
    /// What comes out on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}
