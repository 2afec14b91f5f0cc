//! The load generator: the command line, the driver, the recorder and the labs.
//!
//! | idea | where |
//! |---|---|
//! | the run as a table of contents | [`run`] |
//! | one strategy's run, from start to evidence | [`lab::trial`] |
//! | command line → validated settings | [`cli`], [`cli::settings`] |
//! | who asks for what, when; connections; pacing | [`load::drive`] |
//! | a run against a baseline | [`study::gate`] |
//! | one run by several processes | [`parts`] |
//! | a grid of settings, and the best of them | [`study::sweep`] |
//! | the highest load that a strategy bears | [`study::capacity`] |
//! | which strategy for somebody's numbers | [`study::advise`] |
//! | what the generator itself costs | [`study::selftest`] |
//! | somebody's own Redis, looked at | the room `diagnose` |
//! | a recorded trace as a load | [`load::replay`] |
//! | counts and histograms, at no message per request | [`load::record`] |
//! | floor, windows, ledgers, validity | [`load::measure`] |
//! | bringing a world up and down | [`lab`] |
//! | pages again, and in a browser | `cli::pages` |
//! | any HTTP service instead of a world | [`lab::target`] |
//! | a counting proxy before somebody's own origin | the room `app`, `app/src/origin_proxy` |
//! | a simulated world instead of a real one | [`lab::simlab`] |
//! | the same invariants over a run's records | [`study::check`] |
//! | JSON Schemas of what is written | [`cli::schema`] |
//! | help in sections, completions, manual pages | [`cli::sections`], [`cli::shells`] |
//! | many small worlds in which things go wrong | [`study::fuzz`] |

pub mod cli;
pub mod lab;
pub mod load;
pub mod parts;
pub mod run;
pub mod shell;
pub mod study;

use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use cli::refusal::refusal;
use cli::{Cli, Command, RunArgs};
use shell::exit::{Exit, Failure};

/// The `loadgen` program: parses, does, ends with the contract's exit code.
#[must_use]
pub fn program() -> ExitCode {
    let parsed = cli::sections::command().try_get_matches().and_then(|typed| Cli::from_arg_matches(&typed));
    let cli = match parsed {
        Ok(cli) => Ok(cli),
        Err(error) => {
            let first = std::env::args_os().nth(1).map(|first| first.to_string_lossy().into_owned());
            Err(refusal(&error, first.as_deref()).unwrap_or_else(|| error.exit()))
        }
    };
    app::process::descriptors::raise();
    match cli.and_then(start) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit.code())
        }
    }
}

/// Does what the command line says.
///
/// # Errors
/// [`Failure`] with the exit code and the sentence to print.
pub fn start(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        None => run_command(&cli.run),
        Some(Command::Run(args)) => run_command(&args),
        Some(Command::List) => cli::lists::list(),
        Some(Command::Show { name }) => cli::lists::show(&name),
        Some(Command::Fuzz(args)) => study::fuzz::run(&args),
        Some(Command::Selftest(args)) => study::selftest::run(&args),
        Some(Command::Sweep(args)) => on_a_runtime(study::sweep::run(&args)),
        Some(Command::Capacity(args)) => on_a_runtime(study::capacity::run(&args)),
        Some(Command::Merge(args)) => parts::merge::merge(&args),
        Some(Command::Advise(args)) => on_a_runtime(study::advise::run(&args)),
        #[cfg(feature = "labs")]
        Some(Command::Diagnose(args)) => on_a_runtime(study::diagnose::run(&args)),
        Some(Command::Gate(args)) => study::gate::gate(&args),
        Some(Command::Promote(args)) => study::gate::promote(&args),
        Some(Command::Compare(args)) => study::gate::compare_runs(&args),
        Some(Command::Aa(args)) => on_a_runtime(study::aa::run(&args)),
        Some(Command::Check { run }) => study::check::check(&run),
        #[cfg(feature = "labs")]
        Some(Command::ProxyOrigin(args)) => on_a_runtime(cli::proxy_origin::run(&args)),
        Some(Command::Trace(args)) => study::trace::run(&args),
        Some(Command::Report(args)) => cli::pages::report(&args),
        Some(Command::History(args)) => study::history::history(&args),
        Some(Command::Schema(args)) => cli::schema::run(&args),
        Some(Command::Completions(args)) => cli::shells::completions(&args),
        Some(Command::Man(args)) => cli::shells::man(&args),
    }
}

fn run_command(args: &RunArgs) -> Result<Exit, Failure> {
    let settings = cli::settings::Settings::of(args)?;
    on_a_runtime(async {
        match settings.part {
            _ if args.dry_run => run::dry_run(settings).await,
            Some(part) => parts::run::run(settings, part).await,
            None => run::run(settings).await,
        }
    })
}

fn on_a_runtime(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?.block_on(work)
}
