//! The arguments of `loadgen completions` and `loadgen man`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish"])]
    pub shell: String,
}

/// The arguments of `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Folder to write loadgen.1 to, and one page a command; such as ~/.local/share/man/man1
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: PathBuf,
}
