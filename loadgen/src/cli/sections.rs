//! The command line as its user sees it: `--help` in sections, examples under each command.
//!
//! What an option is stands where it is declared; here is only under which heading it is shown, so that a new one appears at once,
//! under clap's own «Options».

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// Options by their heading. What is in no row stays where clap puts it.
const SECTIONS: &[(&str, &[&str])] = &[
    ("What is run", &["scenario", "strategy", "set", "seed", "repeats", "replicas", "shard", "dry_run"]),
    ("Load", &["duration", "warmup", "clients", "rate", "arrival"]),
    ("Lab", &["lab", "stack", "token_file", "cache", "redis_server"]),
    ("A Redis of your own", &["redis", "redis_primary", "password_file", "tls_ca", "tls_cert", "tls_key", "tls_name"]),
    ("A service of your own", &["target", "i_own_this_target", "max_rate", "origin_control", "origin_token_file"]),
    ("What comes out", &["output", "format", "quiet", "live", "noise"]),
];

/// Commands with examples; the first is `loadgen` by itself.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "loadgen --scenario hotkey --lab sim",
            "loadgen --scenario hotkey --strategy 'naive,swr + coalesce' -d 15s",
            "loadgen --scenario hotkey --target 'http://127.0.0.1:8081/items/{key}'",
            "loadgen --scenario hotkey-open --repeats 10",
        ],
    ),
    ("run", &["loadgen run --scenario hotkey --lab sim", "loadgen run --scenario mine.toml --dry-run"]),
    ("show", &["loadgen show hotkey", "loadgen show xfetch"]),
    (
        "sweep",
        &[
            "loadgen sweep --scenario hotkey --vary cache.ttl=1s..10s:1s --goal 'min origin.total where latency.p99 <= 20ms'",
        ],
    ),
    (
        "advise",
        &[
            "loadgen advise --rate 400/s --keys zipf:10000 --ttl 5s --service-time 200ms --origin-capacity 200/s --max-stale 2s",
        ],
    ),
    ("merge", &["loadgen merge results/part-0 results/part-1"]),
    ("gate", &["loadgen gate results/run", "loadgen gate results/run --baseline baseline.json"]),
    ("promote", &["loadgen promote results/run"]),
    ("compare", &["loadgen compare results/before results/after"]),
    ("aa", &["loadgen aa --scenario hotkey-open --strategy singleflight --repeats 10"]),
    ("fuzz", &["loadgen fuzz --seeds 10000"]),
    ("check", &["loadgen check results/run"]),
    ("trace", &["loadgen trace summary access.log.gz --service-time 200ms"]),
    ("report", &["loadgen report results/run --open", "loadgen report compare results/before results/after"]),
    ("history", &["loadgen history results --open"]),
    ("schema", &["loadgen schema run", "loadgen schema -o schemas"]),
    ("completions", &["loadgen completions bash > ~/.local/share/bash-completion/completions/loadgen"]),
    ("man", &["loadgen man -o ~/.local/share/man/man1"]),
];

/// The whole command line, with sections and examples.
#[must_use]
pub fn command() -> Command {
    let whole = Cli::command().mut_args(placed).mut_subcommands(|command| {
        let examples = examples(command.get_name());
        let command = command.mut_args(placed);
        examples.map_or(command.clone(), |examples| command.after_help(examples))
    });
    examples("").map_or(whole.clone(), |examples| whole.after_help(examples))
}

fn placed(argument: Arg) -> Arg {
    let id = argument.get_id().as_str();
    match SECTIONS.iter().find(|(_, ids)| ids.contains(&id)).filter(|_| !argument.is_positional()) {
        Some((heading, _)) => argument.help_heading(*heading),
        None => argument,
    }
}

fn examples(command: &str) -> Option<String> {
    let (_, lines) = EXAMPLES.iter().find(|(name, _)| *name == command)?;
    Some(format!("Examples:\n  {}", lines.join("\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_of_a_section_is_there() {
        let whole = command();
        for id in SECTIONS.iter().flat_map(|(_, ids)| *ids) {
            let of_run = whole.get_arguments().find(|argument| argument.get_id() == id);
            assert!(of_run.is_some_and(|argument| argument.get_help_heading().is_some()), "{id}");
        }
        let help = whole.clone().render_help().to_string();
        let at = |what: &str| help.find(what).unwrap_or_else(|| panic!("{what} is not in {help}"));
        assert!(at("\nWhat is run:") < at("\nLoad:") && at("\nLab:") < at("\nExamples:"), "{help}");
    }

    /// An example that is refused is worse than none.
    #[test]
    fn each_example_is_a_command_line() {
        for (name, line) in EXAMPLES.iter().flat_map(|(name, lines)| lines.iter().map(move |line| (name, line))) {
            let typed = line.split(" > ").next().unwrap_or_default();
            let quoted = typed.split('\'').enumerate();
            let words = quoted.flat_map(|(at, part)| match at % 2 {
                0 => part.split_whitespace().collect::<Vec<_>>(),
                _ => vec![part],
            });
            let parsed = command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(parsed.subcommand_name().unwrap_or_default(), *name, "{line}");
        }
        let whole = command();
        let known = |name: &str| name.is_empty() || whole.find_subcommand(name).is_some();
        assert!(EXAMPLES.iter().all(|(name, _)| known(name)));
    }
}
