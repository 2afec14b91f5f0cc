//! The index of many runs in a real Chromium: what it says of each, what its filter shows, and how it looks.

use std::path::{Path, PathBuf};

use crate::support::browser::Browser;
use report::compare::{NOISE_SCHEMA, Noise, NoiseBand, NoiseFile};
use report::history::{History, RunCircumstances, history_page};
use report::parse_run;
use report::record::{Metric, Run};

fn fixture() -> Run {
    parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap()
}

fn circumstances(run: &Run, ttl: &str) -> RunCircumstances {
    let all =
        [("scenario", run.scenario.as_str()), ("lab", run.lab.as_str()), ("cache.ttl", ttl), ("load.clients", "50")];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// A machine on which that scenario's figures double by themselves.
fn loud(run: &Run) -> Noise {
    let within = Metric::ALL.map(|metric| (metric, 1.5)).into();
    let band = NoiseBand {
        scenario: run.scenario.clone(),
        lab: run.lab.clone(),
        duration_s: 60.0,
        strategy: "naive".into(),
        measured_at: run.started_at.clone(),
        pairs: 10,
        within,
    };
    let file = NoiseFile { schema: NOISE_SCHEMA.into(), machine: "loud".into(), bands: vec![band] };
    Noise::of_scenario(&file, &run.scenario, &run.lab)
}

/// Thirty real runs of which the later half read the origin twice as often, the same on a loud machine, six simulated ones with a step, an invalid and an interrupted
/// one, one that cannot be read, and names that are markup.
fn written(dir: &Path) -> PathBuf {
    let mut history = History::default();
    let quiet = Noise::default();
    let mut add = |name: &str, at: u32, lab: &str, total: u64, change: &dyn Fn(&mut Run)| {
        let mut run = fixture();
        run.started_at = format!("2026-{:02}-{:02}T10:00:00Z", 1 + at / 28, 1 + at % 28);
        (run.lab, run.complete) = (lab.into(), true);
        for strategy in &mut run.strategies {
            (strategy.valid, strategy.cut_after_s) = (true, None);
            strategy.invalid_because.clear();
            strategy.repeats.clear();
            if let Some(origin) = strategy.origin.as_mut() {
                origin.total = total;
            }
        }
        change(&mut run);
        let ttl = if lab == "sim" && at >= 90 { "9s" } else { "5s" };
        let noise = if lab == "target" { loud(&run) } else { quiet.clone() };
        history.add(name.into(), &run, circumstances(&run, ttl), noise);
    };
    for at in 0..30 {
        let total = if at < 15 { 100 + u64::from(at * 7 % 5) } else { 200 + u64::from(at * 7 % 5) };
        add(&format!("local-{at}"), at, "local", total, &|_| {});
        add(&format!("target-{at}"), at, "target", total, &|_| {});
    }
    for at in 0..6 {
        add(&format!("sim-{at}"), 40 + at, "sim", if at < 4 { 12 } else { 24 }, &|_| {});
    }
    add("sim-other-ttl", 90, "sim", 12, &|_| {});
    add("bad", 50, "sim", 999_999, &|run| {
        run.strategies[0].valid = false;
        run.strategies[0].invalid_because = vec!["the cache was restarted <b>".into()];
    });
    add("cut", 51, "sim", 888_888, &|run| run.complete = false);
    add("<script>x%/ö", 52, "sim", 777_777, &|run| {
        (run.scenario, run.strategies[0].valid) = ("<img src=x>\u{202e}".into(), false);
    });
    history.unreadable.push(("damaged".into(), "run.json is no JSON <here>".into()));
    let page = dir.canonicalize().unwrap().join("history.html");
    std::fs::write(&page, history_page(&history, "results <&>")).unwrap();
    page
}

#[test]
fn it_asks_nobody_for_anything_and_leaves_out_what_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(written(dir.path())).unwrap();
    for forbidden in
        ["http://", "https://", "<script ", "<script>x", "<img", "url(", "src=x>", "\u{202e}", "onload", "<text"]
    {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    let courses = text.split("id=\"runs\"").next().unwrap();
    for left_out in ["999999", "888888", "777777"] {
        assert!(!courses.contains(left_out), "{left_out}");
    }
    for wanted in [
        "script-src 'sha256-",
        "INVALID",
        "interrupted",
        "the cache was restarted &lt;b&gt;",
        "run.json is no JSON &lt;here&gt;",
        "cache.ttl 9s",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    assert!(text.contains("href=\"./%3cscript%3ex%25/%c3%b6/report.html\""));
}

#[test]
fn it_says_since_when_and_is_filtered() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    browser.look_like(1280, "light");
    browser.goto(&written(dir.path()));
    let cell = |words: &str| {
        format!(
            "[...document.querySelectorAll('#courses tr')].find((row) => (row.dataset.words ?? '').startsWith('{words}')).querySelector('.figure').textContent"
        )
    };
    let local = browser.text(&cell("hotkey local naive"));
    assert!(local.ends_with("102 → 202 since 2026-01-16T10:00"), "{local}");
    let loud = browser.text(&cell("hotkey target naive"));
    assert!(loud.ends_with("no change seen, noise 150.0 %"), "{loud}");
    let sim = browser.text(&cell("hotkey sim naive"));
    assert!(sim.ends_with("12 → 24 since 2026-02-17T10:00"), "{sim}");
    let rows = "[...document.querySelectorAll('[data-words]')].filter((row) => row.getClientRects().length).length";
    let all = browser.eval(rows).as_u64().unwrap();
    browser.eval("document.querySelector('#filter').focus()");
    browser.call("Input.insertText", serde_json::json!({ "text": "sim bad" }));
    assert_eq!(browser.text("document.querySelector('#filter').value"), "sim bad");
    let shown = browser.eval(rows).as_u64().unwrap();
    assert!(shown >= 1 && shown < all, "{shown} of {all}");
    assert_eq!(browser.text("document.querySelector('#shown').textContent"), format!("{shown} of {all} rows"));
    browser.assert_quiet();
}

#[test]
fn without_a_script_every_row_is_there_and_nothing_that_would_do_nothing() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    browser.call("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.goto(&written(dir.path()));
    assert_eq!(browser.eval("document.querySelector('.filter').getClientRects().length"), 0);
    assert_eq!(
        browser.eval("[...document.querySelectorAll('tr')].filter((row) => !row.getClientRects().length).length"),
        0
    );
    browser.assert_quiet();
}

/// No wider than the window; a picture of each is left in `target/tmp/page/`.
#[test]
fn it_fits_a_phone_and_a_desk_by_day_and_by_night() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let page = written(dir.path());
    for (width, scheme) in [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")] {
        browser.look_like(width, scheme);
        browser.goto(&page);
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), width, "{width} {scheme}");
        browser.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page/history-{width}-{scheme}.png")));
    }
}
