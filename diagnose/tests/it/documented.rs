//! docs/diagnose.md says what there is: every finding, every command, and the rights that a user needs.

use diagnose::allowed::{ALLOWED, MONITOR, rights};
use diagnose::findings::RULES;

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A row a finding.
fn findings() -> String {
    let row = |rule: &diagnose::findings::FindingRule| {
        let scenario = rule.scenario.map_or("–".to_owned(), |scenario| format!("`loadgen {scenario}`"));
        let [when, why, remedy] = [rule.when, rule.why, rule.remedy].map(cell);
        format!("| `{}` | {} | {when} | {why} | {remedy} | {scenario} |\n", rule.name, rule.severity.word())
    };
    RULES.iter().map(row).collect()
}

/// A row a command.
fn commands() -> String {
    let right = |right: &str| if right.is_empty() { "–".to_owned() } else { format!("`{}`", cell(right)) };
    let rows = ALLOWED.iter().chain([&MONITOR]);
    rows.map(|row| format!("| `{}` | {} | {} |\n", row.words, right(row.right), row.what)).collect()
}

#[test]
fn every_finding_every_command_and_the_rights_are_in_the_document() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/diagnose.md")).unwrap();
    for expected in [findings(), commands(), format!("ACL SETUSER diagnose '>PASSWORD' {}\n", rights())] {
        assert!(document.contains(&expected), "docs/diagnose.md lacks this, as it stands:\n{expected}");
    }
}

#[test]
fn rules_have_names_of_their_own_and_say_everything() {
    let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        for words in [rule.when, rule.why, rule.remedy] {
            assert!(!words.is_empty() && !words.ends_with('.'), "{}: {words}", rule.name);
        }
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
    }
}
