//! The load generator: the command line, the driver, the recorder and the labs.
//!
//! | idea | where |
//! |---|---|
//! | the run as a table of contents | [`run`] |
//! | one strategy's run, from start to evidence | [`trial`] |
//! | command line → validated settings | [`cli`], [`settings`] |
//! | who asks for what, when; connections; pacing | [`drive`] |
//! | a run against a baseline | [`gate`] |
//! | a grid of settings, and the best of them | [`sweep`] |
//! | which strategy for somebody's numbers | [`advise`] |
//! | what the generator itself costs | [`selftest`] |
//! | counts and histograms, at no message per request | [`record`] |
//! | floor, windows, ledgers, validity | [`measure`] |
//! | bringing a world up and down | [`lab`] |
//! | pages again, and in a browser | `pages` |
//! | any HTTP service instead of a world | [`target`] |
//! | a simulated world instead of a real one | [`simlab`] |
//! | the same invariants over a run's records | [`check`] |
//! | JSON Schemas of what is written | [`schema`] |
//! | many small worlds in which things go wrong | [`fuzz`] |

mod aa;
pub mod advise;
pub mod blocks;
pub mod check;
pub mod cli;
pub mod cpu;
pub mod drive;
pub mod environment;
pub mod exit;
pub mod faults;
pub mod fuzz;
pub mod gate;
pub mod interrupt;
pub mod lab;
pub mod lists;
pub mod live;
pub mod measure;
pub mod names;
mod noise;
mod pages;
pub mod progress;
pub mod record;
pub mod refusal;
pub mod run;
pub mod say;
pub mod schema;
pub mod selftest;
pub mod settings;
pub mod simlab;
pub mod sweep;
pub mod table;
pub mod tape;
pub mod target;
pub mod thresholds;
pub mod trial;

use cli::{Cli, Command, RunArgs};
use exit::{Exit, Failure};

/// Does what the command line says.
///
/// # Errors
/// [`Failure`] with the exit code and the sentence to print.
pub fn start(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        None => run_command(&cli.run),
        Some(Command::Run(args)) => run_command(&args),
        Some(Command::List) => lists::list(),
        Some(Command::Show { name }) => lists::show(&name),
        Some(Command::Fuzz(args)) => fuzz::run(&args),
        Some(Command::Selftest(args)) => selftest::run(&args),
        Some(Command::Sweep(args)) => on_a_runtime(sweep::run(&args)),
        Some(Command::Advise(args)) => on_a_runtime(advise::run(&args)),
        Some(Command::Gate(args)) => gate::gate(&args),
        Some(Command::Promote(args)) => gate::promote(&args),
        Some(Command::Compare(args)) => gate::compare_runs(&args),
        Some(Command::Aa(args)) => on_a_runtime(aa::run(&args)),
        Some(Command::Check { run }) => check::check(&run),
        Some(Command::Report(args)) => pages::report(&args),
        Some(Command::Schema(args)) => schema::run(&args),
    }
}

fn run_command(args: &RunArgs) -> Result<Exit, Failure> {
    let settings = settings::Settings::of(args)?;
    on_a_runtime(async { if args.dry_run { run::dry_run(settings).await } else { run::run(settings).await } })
}

fn on_a_runtime(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?.block_on(work)
}
