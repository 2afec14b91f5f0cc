//! `--strategy`, or the scenario's list: strategies, each with a folder of its own.

use report::STRATEGIES_MAX;
use scenarios::Scenario;
use strategies::Spec;
use strategies::counter::{COUNTERS, CounterPart, CounterSpec};
use strategies::spec::PRESETS;

use crate::shell::exit::Failure;

/// The strategies to run, as typed.
pub(super) fn strategy_texts(given: Option<&str>, scenario: &Scenario) -> Result<Vec<String>, Failure> {
    let bases = || COUNTERS.iter().filter(|row| row.part == CounterPart::Base);
    let texts: Vec<String> = match given {
        None => scenario.strategies.clone(),
        Some("all") if scenario.counting.is_some() => bases().map(|row| row.name.to_owned()).collect(),
        Some("all") => PRESETS.iter().map(|preset| preset.name.to_owned()).collect(),
        Some(list) => split_list(list),
    };
    if texts.len() > STRATEGIES_MAX {
        return Err(Failure::usage(format!(
            "too many strategies · --strategy · found {}, allowed at most {STRATEGIES_MAX} · make several runs of them",
            texts.len()
        )));
    }
    Ok(texts)
}

/// Those that count, each with a folder of its own.
pub(super) fn counters(texts: &[String]) -> Result<Vec<(CounterSpec, String)>, Failure> {
    let mut counters: Vec<(CounterSpec, String)> = Vec::new();
    for text in texts {
        let spec = CounterSpec::parse(text).map_err(|e| {
            Failure::usage(format!("not a strategy that counts · --strategy · {e} · `loadgen list` lists them"))
        })?;
        if counters.iter().any(|(other, _)| other.canonical() == spec.canonical()) {
            return Err(twice(text));
        }
        let folder = free_folder(spec.name(), |folder| counters.iter().any(|(_, other)| other == folder));
        counters.push((spec, folder));
    }
    Ok(counters)
}

fn twice(text: &str) -> Failure {
    Failure::usage(format!(
        "the same strategy twice · --strategy · found {text:?} again, each may be run once · drop one"
    ))
}

/// A folder for a strategy that no other has.
fn free_folder(name: &str, taken: impl Fn(&String) -> bool) -> String {
    let folder = folder(name);
    let numbered = (2..).map(|number| format!("{folder}-{number}"));
    std::iter::once(folder.clone()).chain(numbered).find(|folder| !taken(folder)).unwrap_or(folder)
}

/// Those that read, each with a folder of its own.
pub(super) fn strategies(texts: &[String], scenario: &Scenario) -> Result<Vec<(Spec, String)>, Failure> {
    let mut strategies: Vec<(Spec, String)> = Vec::new();
    for text in texts {
        let spec = Spec::parse(text).map_err(|e| {
            Failure::usage(match CounterSpec::parse(text) {
                Ok(_) => format!("{text:?} counts, and this load reads · --strategy · name one that reads, or a scenario that counts, as counters"),
                Err(_) => format!("not a strategy · --strategy · {e} · `loadgen list` lists them"),
            })
        })?;
        if strategies.iter().any(|(other, _)| other.canonical() == spec.canonical()) {
            return Err(twice(text));
        }
        let spec = spec.fitted(&scenario.budgets);
        let folder = free_folder(spec.name(), |folder| strategies.iter().any(|(_, other)| other == folder));
        strategies.push((spec, folder));
    }
    Ok(strategies)
}

/// Splits at commas outside parentheses.
pub(crate) fn split_list(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_i32);
    for c in list.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match parts.last_mut() {
            Some(part) if c != ',' || depth > 0 => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// A folder name of a strategy: `jitter(1.0)` → `jitter-1.0`.
fn folder(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let dashed: String = name.chars().map(kept).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_commas_outside_parentheses() {
        assert_eq!(split_list("naive, xfetch(beta=2, stale=1s),swr"), ["naive", "xfetch(beta=2, stale=1s)", "swr"]);
        assert_eq!(split_list("naive,"), ["naive", ""]);
    }

    #[test]
    fn folders_are_names_and_differ() {
        for (name, expected) in [
            ("naive", "naive"),
            ("jitter(1.0)", "jitter-1.0"),
            ("swr + lock(poll=20ms)", "swr-lock-poll-20ms"),
            ("../../etc", "..-..-etc"),
        ] {
            assert_eq!(folder(name), expected);
        }
    }
}
