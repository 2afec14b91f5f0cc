//! The `loadgen` program: parse, do, end with the contract's exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use loadgen::cli::Cli;
use loadgen::cli::refusal::refusal;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => Ok(cli),
        Err(error) => {
            let first = std::env::args_os().nth(1).map(|first| first.to_string_lossy().into_owned());
            Err(refusal(&error, first.as_deref()).unwrap_or_else(|| error.exit()))
        }
    };
    app::process::descriptors::raise();
    match cli.and_then(loadgen::start) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit.code())
        }
    }
}
