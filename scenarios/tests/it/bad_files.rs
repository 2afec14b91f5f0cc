//! Files that are too many, too large, or nothing like a scenario.
use std::fmt::Write as _;

use scenarios::Scenario;

fn refused(text: &str) -> String {
    Scenario::parse(text, "bad.toml", &[]).unwrap_err().to_string()
}

#[test]
fn a_flood_of_problems_is_counted_not_printed() {
    let flood: String = (0..5000).fold(String::new(), |mut text, i| {
        let _ = writeln!(text, "x{i} = {i}");
        text
    });
    let said = refused(&format!("schema = 1\n{flood}"));
    assert!(said.lines().count() <= 151, "{} lines", said.lines().count());
    assert!(said.ends_with("… and 4956 more"), "{}", &said[said.len() - 100..]);
}

#[test]
fn a_file_of_nonsense_is_refused_without_a_long_wait() {
    for nonsense in ["= =\n", "a\n", "[\n", "x.", "\"\n", "[[event]]\n", "{", "\u{1b}"] {
        let text = nonsense.repeat((1 << 18) / nonsense.len());
        let said = refused(&text);
        assert!(said.starts_with("error: "), "{nonsense:?}");
        assert!(said.len() < 100_000, "{nonsense:?}: {} bytes", said.len());
    }
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("binary"), b"name = \"\xff\"").unwrap();
    std::fs::write(at("large"), vec![b'#'; (1 << 20) + 1]).unwrap();
    std::fs::write(at("limit"), vec![b'#'; 1 << 20]).unwrap();
    let mut out = String::new();
    for name in ["absent", ".", "binary", "large"] {
        let errors = scenarios::read(&at(name)).unwrap_err().to_string();
        let _ = writeln!(out, "{}", errors.replace(&folder.path().display().to_string(), "DIR"));
    }
    assert_eq!(scenarios::read(&at("limit")).unwrap().len(), 1 << 20);
    insta::assert_snapshot!(out);
}
