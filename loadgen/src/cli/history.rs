//! `loadgen history`: the arguments.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `history`.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The folder that the runs' folders are in, at any depth; the page, history.html, is written into it
    #[arg(value_name = "DIR", default_value = "results")]
    pub folder: PathBuf,
    /// Open the page in a browser
    #[arg(long)]
    pub open: bool,
}
