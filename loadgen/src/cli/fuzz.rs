//! `loadgen fuzz`: which seeds are played, of which strategies.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `fuzz`.
#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// How many seeds to play; they are dealt to strategies and profiles in turns
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub seeds: u64,
    /// The first of them
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1_u64 << 62))]
    pub from: u64,
    /// Play this one seed, and make it smaller where it fails
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with_all = ["seeds", "from", "corpus"])]
    pub seed: Option<u64>,
    /// With --seed: show every fact of the log, and not only what led to the failure
    #[arg(long, requires = "seed", conflicts_with_all = ["seeds", "from", "corpus", "must_fail"])]
    pub log: bool,
    /// Play the seeds of this file instead: lines of `SEED PROFILE STRATEGY`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "from"])]
    pub corpus: Option<PathBuf>,
    /// Presets or SPECs, separated by commas; `all` presets, `broken` for those that are wrong on purpose, or `random` for a
    /// composition drawn from each seed
    #[arg(long, value_name = "a,b|SPEC|all|broken|random", default_value = "all")]
    pub strategy: String,
    /// Families of troubles, separated by commas, or `all`
    #[arg(long, value_name = "a,b|all", default_value = "all")]
    pub profile: String,
    /// Threads; one a core where nothing is said
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Fail where a fault or a rare event happened less often than it should in so many seeds of everything
    #[arg(long, conflicts_with_all = ["strategy", "profile", "seed", "corpus"])]
    pub floors: bool,
    /// Fail where every invariant holds: each line of the corpus, or each strategy within so many seeds, five times
    #[arg(long, conflicts_with_all = ["seed", "floors"])]
    pub must_fail: bool,
}

impl FuzzArgs {
    /// How many threads.
    #[must_use]
    pub fn jobs(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or(cores, usize::from)
    }
}
