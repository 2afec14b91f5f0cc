//! `loadgen trace summary`: what is in a trace is what is said of it, and what is none is refused.

use std::path::Path;
use std::time::Duration;

use traces::law::TraceLaw;

use crate::common::run;

fn summary(file: &Path, more: &[&str]) -> crate::common::Said {
    run(&[&["trace", "summary", file.to_str().unwrap()], more].concat())
}

/// A trace that is made from a law.
fn made(at: &Path) -> TraceLaw {
    let law = TraceLaw {
        keys: 2_000,
        exponent: 1.0,
        per_s: 400.0,
        rows: 60_000,
        write_share: 0.1,
        ttls: vec![Duration::from_secs(5)],
        sizes: vec![256],
        whole_seconds: false,
        seed: 7,
    };
    law.write_csv(&mut std::fs::File::create(at).unwrap()).unwrap();
    law
}

#[test]
fn the_law_that_a_trace_was_made_from_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    let law = made(&file);
    let said = summary(&file, &["--service-time", "200ms", "--top", "3"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with(&format!("{} rows in ", law.rows)), "{}", said.out);
    for words in ["TTLs     5.00 s to 5", "sizes    256 B to 256 B", "  #1 ", "reach the origin without protection"] {
        assert!(said.out.contains(words), "{words:?} is not in {}", said.out);
    }
    let figure = |before: &str, after: &str| {
        let (_, rest) = said.out.split_once(before).unwrap();
        rest.split_once(after).unwrap().0.trim().parse::<f64>().unwrap()
    };
    assert!((figure("rate     ", " rows/s") / law.per_s - 1.0).abs() < 0.03, "{}", said.out);
    assert!((figure("Zipf exponent ", " ±") - law.exponent).abs() < 0.05, "{}", said.out);
    assert!((figure(" read, ", " % change") - 10.0).abs() < 1.0, "{}", said.out);
    // No name is shown that was not asked for.
    assert!(!said.out.contains("key:") && !said.out.contains("item:"), "{}", said.out);
}

#[test]
fn what_is_no_trace_is_refused_with_the_place_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let good: String = (0..2_000).map(|n| format!("{n}.5,k{}\n", n % 7)).collect();
    let bad: String = (0..2_000).map(|n| if n % 50 == 0 { "x,y\n".into() } else { format!("{n}.5,k\n") }).collect();
    for (file, more, words) in [
        (folder.path().join("none"), &[][..], "name a file that can be read"),
        (at("prose", "Once upon a time\n"), &[], "its format is not recognised"),
        (at("empty", ""), &[], "its format is not recognised"),
        (at("bad", &bad), &["--format", "csv"], "line 1"),
        (at("good", &good), &["--key", "("], "key"),
        (at("good", &good), &["--service-time", "soon"], "no time · --service-time"),
        (at("good", &good), &["--service-time", "0s"], "the origin's time: found 0ns, allowed above 0"),
        (at("good", &good), &["--to", "0s"], "allowed a time after from"),
    ] {
        let said = summary(&file, more);
        assert_eq!(said.code, Some(2), "{words}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    // A bad row in a thousand is told, and the rest is read.
    let few = at("few", &format!("{good}what,is,this\n"));
    let said = summary(&few, &["--format", "csv", "--names", "clear"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("1 of 2001 rows cannot be used; the first is line 2001"), "{}", said.out);
    assert!(said.out.contains("  k0 "), "{}", said.out);
}
