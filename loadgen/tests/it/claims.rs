//! docs/claims.md: every row whose command is `--lab sim` is run, and every figure in it compared.

use std::collections::BTreeMap;

use crate::common::{only_run, record, run};

/// A row's command, and its figures: strategy, path, value.
type ClaimRow = (String, Vec<(String, String, String)>);

fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn claims() -> Vec<ClaimRow> {
    let page = include_str!("../../../docs/claims.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("--lab sim"));
    let figure = |text: &str| {
        let (strategy, figure) = text.split_once(": ").unwrap_or_else(|| panic!("{text}"));
        let (path, value) = figure.split_once(" = ").unwrap_or_else(|| panic!("{text}"));
        (strategy.to_owned(), path.to_owned(), value.to_owned())
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let command = spans(cells[1]).next().unwrap().to_owned();
        (command, spans(cells[2]).map(figure).collect())
    })
    .collect()
}

/// The arguments of a command; the last option is `--strategy`, whose value is quoted where it has spaces.
fn arguments(command: &str) -> Vec<String> {
    let (options, strategies) = command.strip_prefix("loadgen ").unwrap().split_once(" --strategy ").unwrap();
    let options = options.split(' ').map(str::to_owned);
    options.chain(["--strategy".to_owned(), strategies.trim_matches('\'').to_owned()]).collect()
}

#[test]
fn every_claim_has_the_figures_that_its_command_shows() {
    let claims = claims();
    assert!(claims.len() >= 14, "{}", claims.len());
    // Several rows may look at one run.
    let mut by_command: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    for (command, figures) in claims {
        assert!(!figures.is_empty(), "{command} shows nothing");
        by_command.entry(command).or_default().extend(figures);
    }
    for (command, figures) in by_command {
        let results = tempfile::tempdir().unwrap();
        let arguments = arguments(&command);
        let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        all.extend(["--quiet", "-o", results.path().to_str().unwrap()]);
        let said = run(&all);
        // A strategy that is shown for its flaw may miss its scenario's thresholds.
        assert!(matches!(said.code, Some(0 | 99)), "{command}: {}{}", said.out, said.err);
        let run = record(&only_run(results.path()));
        for (name, path, value) in figures {
            let strategy = run.strategies.iter().find(|strategy| strategy.name == name);
            let strategy = strategy.unwrap_or_else(|| panic!("{command}: no {name}"));
            let measured = report::metrics(strategy).get(&path).cloned().flatten();
            let found = measured.map(|number| number.as_f64().unwrap());
            assert_eq!(found, Some(value.parse().unwrap()), "{command}: {name}: {path}");
        }
    }
}
