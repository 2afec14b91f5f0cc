//! `loadgen history`: the arguments.

use std::path::PathBuf;

use clap::Args;

use crate::study::noise::NOISES;

/// The arguments of `history`.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The folder that the runs' folders are in, at any depth; the page, history.html, is written into it
    #[arg(value_name = "DIR", default_value = "results")]
    pub folder: PathBuf,
    /// Folder of what `loadgen aa` measured
    #[arg(long, value_name = "DIR", default_value = NOISES)]
    pub noise: PathBuf,
    /// Open the page in a browser
    #[arg(long)]
    pub open: bool,
}
