//! What is wrong with a command line, in the house's form: what · where · found against allowed · remedy.
//!
//! clap knows what is wrong; only its sentences are replaced here. Help and versions are no errors and stay clap's.

use std::error::Error as _;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use report::text::escape::line;

use crate::cli::Cli;
use crate::shell::exit::Failure;
use app::wire::address::shown_word;

/// The sentence of a command line that was refused, `first` its first word after the program's name; `None` where clap was
/// asked to show something.
#[must_use]
pub fn refusal(error: &clap::Error, first: Option<&str>) -> Option<Failure> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let one = |kind| words(error, kind).into_iter().next().unwrap_or_default();
    let (argument, value, command) = (one(ContextKind::InvalidArg), one(ContextKind::InvalidValue), command(first));
    let see = format!("{command} --help says what there is");
    let text = match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            format!("too many arguments · {argument} · found one more than are taken · {see}")
        }
        ErrorKind::UnknownArgument => {
            let meant = owner(&argument).unwrap_or_else(|| did_you_mean(&one(ContextKind::SuggestedArg)));
            format!("unknown option · {argument} · there is none of that name here · {meant}{see}")
        }
        ErrorKind::InvalidSubcommand => {
            let found = one(ContextKind::InvalidSubcommand);
            let meant = did_you_mean(&one(ContextKind::SuggestedSubcommand));
            format!("unknown command · {found} · allowed: {} · {meant}{see}", commands())
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("no value · {argument} · found nothing after it · give it one{}; {see}", allowed(error, ": "))
        }
        ErrorKind::InvalidValue => {
            let meant = did_you_mean(&one(ContextKind::SuggestedValue));
            format!("bad value · {argument} · found {value:?}{} · {meant}{see}", allowed(error, ", allowed: "))
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(|why| format!(": {}", line(&why.to_string()))).unwrap_or_default();
            format!("bad value · {argument} · found {value:?}{why} · {see}")
        }
        ErrorKind::TooManyValues => {
            format!("too many values · {argument} · found {value:?}, which it does not take · leave it out; {see}")
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = words(error, ContextKind::InvalidArg).join(" ");
            format!("missing arguments · {command} · found no {missing} · give it; {see}")
        }
        ErrorKind::ArgumentConflict => {
            let others = words(error, ContextKind::PriorArg);
            if others.iter().all(|other| *other == argument) {
                format!("given more than once · {argument} · once is allowed · leave all but one out")
            } else {
                let others = others.join(", ");
                format!(
                    "options that exclude each other · {argument} · found beside {others} · leave one of them out; {see}"
                )
            }
        }
        _ => {
            let said = line(error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: "));
            format!("bad command line · {command} · {said} · {see}")
        }
    };
    Some(Failure::usage(text))
}

/// What clap knows of the error under this name, without anything that a terminal would obey, and without a secret.
fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let words = match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    };
    words.iter().map(|word| line(&shown_word(word))).collect()
}

fn did_you_mean(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("did you mean `{word}`? ") }
}

/// Which command has the option, where another does.
fn owner(option: &str) -> Option<String> {
    let (cli, long) = (Cli::command(), option.strip_prefix("--")?);
    let has = |command: &&clap::Command| command.get_arguments().any(|argument| argument.get_long() == Some(long));
    Some(format!("loadgen {} has it; ", cli.get_subcommands().find(has)?.get_name()))
}

fn allowed(error: &clap::Error, before: &str) -> String {
    let allowed = words(error, ContextKind::ValidValue);
    if allowed.is_empty() { String::new() } else { format!("{before}{}", allowed.join(", ")) }
}

fn commands() -> String {
    let cli = Cli::command();
    cli.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>().join(", ")
}

/// `loadgen sweep`: a command is the first word, or there is none.
fn command(first: Option<&str>) -> String {
    let command = first.filter(|word| Cli::command().find_subcommand(word).is_some());
    command.map_or_else(|| "loadgen".to_owned(), |command| format!("loadgen {command}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn said(line: &str) -> Option<String> {
        let error = Cli::try_parse_from(line.split_whitespace()).expect_err("a command line that is refused");
        refusal(&error, line.split_whitespace().nth(1)).map(|failure| {
            assert_eq!(failure.exit.code(), 2);
            failure.text
        })
    }

    #[test]
    fn each_kind_has_its_sentence() {
        let see = "loadgen --help says what there is";
        let commands = commands();
        for (line, expected) in [
            ("loadgen --out x", format!("unknown option · --out · there is none of that name here · did you mean `--output`? {see}")),
            ("loadgen --bogus", format!("unknown option · --bogus · there is none of that name here · {see}")),
            ("loadgen --seeds 3", format!("unknown option · --seeds · there is none of that name here · loadgen sweep has it; {see}")),
            ("loadgen --vary x", format!("unknown option · --vary · there is none of that name here · loadgen sweep has it; {see}")),
            ("loadgen sweep --seeds x", "bad value · --seeds <N> · found \"x\": invalid digit found in string · loadgen sweep --help says what there is".into()),
            ("loadgen gate a b", "too many arguments · b · found one more than are taken · loadgen gate --help says what there is".into()),
            ("loadgen swep", format!("unknown command · swep · allowed: {commands} · did you mean `sweep`? {see}")),
            ("loadgen --scenario", format!("no value · --scenario <NAME|FILE.toml> · found nothing after it · give it one; {see}")),
            ("loadgen --lab", format!("no value · --lab <LAB> · found nothing after it · give it one: auto, docker, local, sim; {see}")),
            ("loadgen --lab locl", format!("bad value · --lab <LAB> · found \"locl\", allowed: auto, docker, local, sim · did you mean `local`? {see}")),
            ("loadgen --seed abc", format!("bad value · --seed <N> · found \"abc\": invalid digit found in string · {see}")),
            ("loadgen --quiet=yes", format!("too many values · --quiet · found \"yes\", which it does not take · leave it out; {see}")),
            ("loadgen sweep", "missing arguments · loadgen sweep · found no --vary <KNOB=VALUES> · give it; loadgen sweep --help says what there is".into()),
            ("loadgen --seed 1 --seed 2", "given more than once · --seed <N> · once is allowed · leave all but one out".into()),
            ("loadgen --target x --lab sim", format!("options that exclude each other · --target <URL>... · found beside --lab <LAB> · leave one of them out; {see}")),
        ] {
            assert_eq!(said(line), Some(format!("error: {expected}")), "{line}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_passed_on() {
        let said = said("loadgen --\u{1b}[31mred").unwrap_or_default();
        assert!(said.starts_with("error: unknown option") && !said.contains('\u{1b}'), "{said:?}");
    }

    #[test]
    fn help_and_version_stay_claps() {
        for line in ["loadgen --help", "loadgen --version", "loadgen sweep -h"] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
