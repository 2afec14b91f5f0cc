//! `loadgen completions` and `loadgen man`: what shells and `man` know of the command line, made of the command line itself.

use std::path::{Path, PathBuf};

use clap_complete::aot::{Shell, generate};

use super::sections::command;
use super::shell_args::{CompletionsArgs, ManArgs};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// Says what a shell needs to complete words.
///
/// # Errors
/// [`Failure`] where standard output fails.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let shell: Shell = args.shell.parse().map_err(Failure::usage)?;
    let mut script = Vec::new();
    generate(shell, &mut command(), "loadgen", &mut script);
    output::out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// Writes the pages, and lists them.
///
/// # Errors
/// [`Failure`] where a page can't be written.
pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut whole = command();
    whole.build();
    let mut written = Vec::new();
    pages(&whole, &args.output, &mut written)?;
    let list: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    output::out(&list)?;
    Ok(Exit::Ok)
}

/// The page of a command, and those of the commands below it.
fn pages(command: &clap::Command, folder: &Path, written: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(&name).render(&mut page).map_err(Failure::failed)?;
    let path = folder.join(format!("{name}.1"));
    report::write_atomic(&path, |out| out.write_all(&page)).map_err(Failure::usage)?;
    written.push(path);
    command.get_subcommands().try_for_each(|below| pages(below, folder, written))
}
