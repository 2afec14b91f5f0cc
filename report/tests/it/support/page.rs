//! A run whose page has something of everything, and what every page owes its record.

use std::path::{Path, PathBuf};

use report::record::Run;
use report::{RunFolder, figure, metrics, render_page};
use serde_json::Value;

use super::browser::Browser;
use super::{hotkey, write};

/// Every cell of the table that has a path in the record: strategy, path, the number it says that it shows, its text.
pub const CELLS: &str = "[...document.querySelectorAll('.verdict tbody tr')].flatMap((row) => \
    [...row.querySelectorAll('td')].map((cell) => [row.dataset.name, cell.dataset.path, cell.dataset.exact, \
    cell.firstChild.textContent]))";

/// The page alone: drawing PNGs takes a debug build seconds.
pub fn page_of(dir: &Path) -> PathBuf {
    let page = dir.canonicalize().unwrap().join("report.html");
    render_page(&[dir.to_owned()], &page).unwrap();
    page
}

/// A run of five strategies: one is invalid and never recovered, one has theory beside it, one was well again.
pub fn eventful(dir: &Path) -> Run {
    let mut run = write(&hotkey(20), dir);
    run.strategies[1].valid = false;
    run.strategies[1].invalid_because = vec!["the cache was restarted".into()];
    run.strategies[0].predicted = Some(report::record::Predicted {
        per_expiry: 49.1,
        cycle_s: None,
        hot_origin_total: None,
        wait_share: None,
        stale_share: None,
        formula: "1 + rd".into(),
    });
    run.strategies[2].recovery =
        Some(report::record::Recovery { troubled_s: 3, after_s: Some(1.2), recovered: None, recovered_after_s: None });
    run.strategies[1].recovery = Some(report::record::Recovery {
        troubled_s: 9,
        after_s: None,
        recovered: Some(false),
        recovered_after_s: None,
    });
    run.strategies[2].stale.overage_ms_max = Some(1579);
    run.strategies[3].errors = 7;
    let folder = RunFolder::at(dir);
    folder.write_run(&run).unwrap();
    let swr = folder.strategy("swr").unwrap();
    let mut events = swr.read_events().unwrap();
    for (t_s, event) in [(8, "fault"), (11, "fault-over")] {
        let detail = Some(format!("{event} of the cache"));
        events.push(report::record::EventRow {
            t_ns: t_s * 1_000_000_000,
            event: event.into(),
            detail,
            ..Default::default()
        });
    }
    swr.write_events(&events).unwrap();
    run
}

/// Each figure of the table is the record's own, and there is one of every strategy.
pub fn assert_is_the_record(browser: &mut Browser, run: &Run) {
    let cells = browser.eval(CELLS);
    let cells = cells.as_array().unwrap();
    assert!(cells.len() >= run.strategies.len() * 8, "{} cells", cells.len());
    for strategy in &run.strategies {
        let figures = metrics(strategy);
        let own: Vec<&Value> = cells.iter().filter(|cell| cell[0] == strategy.name.as_str()).collect();
        assert!(!own.is_empty(), "no row of {}", strategy.name);
        for cell in own {
            let (path, exact, text) = (cell[1].as_str().unwrap(), cell[2].as_str().unwrap(), cell[3].as_str().unwrap());
            let expected = match path {
                "waiting_share" => {
                    let all = &strategy.outcomes;
                    (all.unknown == 0 && all.sum() > 0).then(|| (all.wait + all.load) as f64 / all.sum() as f64)
                }
                "failed_share" => {
                    let all = &strategy.outcomes;
                    (all.sum() > 0).then(|| (all.error + all.shed) as f64 / all.sum() as f64)
                }
                path => figure(&figures, path).unwrap_or_else(|| panic!("{path}")).and_then(|number| number.as_f64()),
            };
            let shown: Option<f64> = (exact != "null").then(|| exact.parse().unwrap());
            assert_eq!(shown, expected, "{} {path}", strategy.name);
            assert_eq!(
                expected.is_none() && !["not yet", "NEVER"].contains(&text),
                text == "–",
                "{} {path}: {text}",
                strategy.name
            );
            if ["origin.total", "origin.max_per_second", "errors"].contains(&path) {
                assert_eq!(text.parse::<f64>().ok(), expected, "counts are shown whole");
            } else if let (Some(expected), Ok(text)) = (expected, text.parse::<f64>()) {
                assert!((text - expected).abs() <= 0.05 + expected.abs() * 0.005, "{path}: {text} of {expected}");
            }
        }
    }
}
