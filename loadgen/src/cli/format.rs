//! What every command that says something says it in. Apart, because commands' arguments in files of their own have it, too.

use clap::ValueEnum;

/// What comes out on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    Text,
    /// The same for programs; of a run its run.json
    Json,
}
