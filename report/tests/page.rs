//! `report.html` in a real Chromium: quiet, true to `run.json`, usable by mouse, by keyboard and without a script.
#![allow(clippy::unwrap_used)] // A panic here is a failed test.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use report::record::{BinRow, Block, ContainerRow, Run, Strategy};
use report::{RunFolder, figure, figures, render_page};
use serde_json::Value;
use support::browser::Browser;
use support::target::write_target;
use support::{Kind, Plan, bulk_warm, hotkey, shape, write};

/// Every cell of the table that has a path in the record: strategy, path, the number it says that it shows, its text.
const CELLS: &str = "[...document.querySelectorAll('.verdict tbody tr')].flatMap((row) => \
    [...row.querySelectorAll('td')].map((cell) => [row.dataset.name, cell.dataset.path, cell.dataset.exact, \
    cell.firstChild.textContent]))";

/// The page alone: drawing PNGs takes a debug build seconds.
fn page_of(dir: &Path) -> PathBuf {
    let page = dir.canonicalize().unwrap().join("report.html");
    render_page(&[dir.to_owned()], &page).unwrap();
    page
}

/// A run of five strategies: one refused some requests and is invalid, one has a fault and theory beside it.
fn eventful(dir: &Path) -> Run {
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
    run.strategies[2].recovery = Some(report::record::Recovery { troubled_s: 3, after_s: Some(1.2) });
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
fn assert_is_the_record(browser: &mut Browser, run: &Run) {
    let cells = browser.eval(CELLS);
    let cells = cells.as_array().unwrap();
    assert!(cells.len() >= run.strategies.len() * 8, "{} cells", cells.len());
    for strategy in &run.strategies {
        let figures = figures(strategy);
        let own: Vec<&Value> = cells.iter().filter(|cell| cell[0] == strategy.name.as_str()).collect();
        assert!(!own.is_empty(), "no row of {}", strategy.name);
        for cell in own {
            let (path, exact, text) = (cell[1].as_str().unwrap(), cell[2].as_str().unwrap(), cell[3].as_str().unwrap());
            let expected = match path {
                "waiting_share" => {
                    let all = &strategy.outcomes;
                    (all.unknown == 0 && all.sum() > 0).then(|| (all.wait + all.load) as f64 / all.sum() as f64)
                }
                path => figure(&figures, path).unwrap_or_else(|| panic!("{path}")).and_then(|number| number.as_f64()),
            };
            let shown: Option<f64> = (exact != "null").then(|| exact.parse().unwrap());
            assert_eq!(shown, expected, "{} {path}", strategy.name);
            assert_eq!(expected.is_none() && text != "not yet", text == "–", "{} {path}: {text}", strategy.name);
            if ["origin.total", "origin.max_per_second", "errors"].contains(&path) {
                assert_eq!(text.parse::<f64>().ok(), expected, "counts are shown whole");
            } else if let (Some(expected), Ok(text)) = (expected, text.parse::<f64>()) {
                assert!((text - expected).abs() <= 0.05 + expected.abs() * 0.005, "{path}: {text} of {expected}");
            }
        }
    }
}

/// What can be said without a browser, so that it is said where there is none.
#[test]
fn it_asks_nobody_for_anything() {
    let dir = tempfile::tempdir().unwrap();
    eventful(dir.path());
    let page = fs::read_to_string(page_of(dir.path())).unwrap();
    for forbidden in ["http://", "https://", "<script ", "url(", "@import", "<link", "src=", "onload", "onclick"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for wanted in [
        "<!doctype html>",
        "<html lang=\"en\">",
        "default-src 'none'",
        "script-src 'sha256-",
        "scope=\"col\"",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
}

#[test]
fn it_is_quiet_and_says_what_the_record_says() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = eventful(dir.path());
    browser.goto(&page_of(dir.path()));
    browser.assert_quiet();
    assert_is_the_record(&mut browser, &run);
    let said = browser.text("document.body.innerText");
    for wanted in [
        "INVALID – do not use the numbers of singleflight: the cache was restarted",
        "not distinguishable",
        "theory 49.1",
        "≤ 1.6 s old",
        "fault of the cache",
        &run.command,
    ] {
        assert!(said.contains(wanted), "{wanted} is not in {said}");
    }
    // Whoever is invalid is best at nothing, and whoever is best is lowest or near it.
    assert_eq!(browser.eval("document.querySelectorAll('tr.invalid .best').length"), 0);
    assert!(browser.eval("document.querySelectorAll('.best').length").as_u64().unwrap() > 3);
    let totals = browser.text("[...document.querySelectorAll('.best[data-path=\"origin.total\"]')].map((e) => e.parentNode.dataset.name).join()");
    assert_eq!(totals, "swr,xfetch");
    // Everything that is drawn is said to whoever cannot see it.
    assert_eq!(
        browser.eval("[...document.querySelectorAll('svg')].filter((svg) => !svg.querySelector('title').textContent || !svg.querySelector('desc').textContent).length"),
        0
    );
    let order = browser.text("[...document.querySelectorAll('h2')].map((h) => h.textContent).join(' | ')");
    assert_eq!(
        order,
        "Verdict | Origin reads per second | One expiry from close by | Response time over the run | Latency spectrum | \
         What each strategy trades | What became of the requests | Who waited, and for how many reads | \
         The generator’s own health | Environment"
    );
    assert_eq!(browser.eval("document.querySelectorAll('nav a').length"), 10);
    assert_eq!(
        browser.eval("[...document.querySelectorAll('nav a')].filter((a) => !document.querySelector(a.hash)).length"),
        0
    );
}

/// How many parts of the page show a strategy.
fn visible(browser: &mut Browser, order: usize) -> u64 {
    let all = format!("[...document.querySelectorAll('[data-s=\"{order}\"]')]");
    browser.eval(&format!("{all}.filter((e) => getComputedStyle(e).display !== 'none').length")).as_u64().unwrap()
}

#[test]
fn strategies_are_hidden_everywhere_by_mouse_and_by_keyboard() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    eventful(dir.path());
    browser.goto(&page_of(dir.path()));
    let (naive, swr) = (visible(&mut browser, 0), visible(&mut browser, 2));
    assert!(naive >= 8 && swr >= 8, "{naive} {swr}");
    let pressed =
        "[...document.querySelectorAll('.legend [data-hides]')].map((b) => b.getAttribute('aria-pressed')).join()";
    assert_eq!(browser.text(pressed), "true,true,true,true,true");

    browser.point(".legend [data-hides=\"0\"]", (0.5, 0.5), true);
    assert_eq!((visible(&mut browser, 0), visible(&mut browser, 2)), (0, swr));
    assert_eq!(browser.text(pressed), "false,true,true,true,true");
    assert_eq!(browser.text("document.querySelector('.legend output').textContent"), "1 of 5 hidden");

    // From button to button with the tabulator, by space and by enter.
    for key in ["Tab", "Tab", " "] {
        browser.key(key);
    }
    assert_eq!((visible(&mut browser, 0), visible(&mut browser, 2)), (0, 0));
    browser.key("Enter");
    assert_eq!((visible(&mut browser, 0), visible(&mut browser, 2)), (0, swr));
    browser.point(".legend .all", (0.5, 0.5), true);
    assert_eq!((visible(&mut browser, 0), browser.text(pressed).as_str()), (naive, "true,true,true,true,true"));
    browser.assert_quiet();
}

#[test]
fn values_are_read_by_pointer_and_by_arrow_keys() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = eventful(dir.path());
    browser.look_like(1280, "light");
    browser.goto(&page_of(dir.path()));
    let rows = RunFolder::at(dir.path()).strategy(&run.strategies[0].folder).unwrap().read_seconds().unwrap();
    let reads_at = |second: i64| rows.iter().find(|row| row.start_ms == second * 1000).unwrap().origin_starts.unwrap();
    let now = "document.querySelector('#origin [data-s=\"0\"] .now').textContent";

    browser.point("#origin [data-s=\"0\"] .box", ((5.0 + 0.5) / 20.0, 0.5), false);
    assert_eq!(browser.text(now), format!("reads {}", reads_at(5)));
    // All charts over time are read at the same second.
    let latency = browser.text("document.querySelector('#latency [data-s=\"2\"] .now').textContent");
    assert!(latency.contains("p99 ") && latency.contains(" ms"), "{latency}");

    browser.eval("document.querySelector('#origin .scrub').focus()");
    for (key, second) in
        [("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 19), ("PageDown", 17)]
    {
        browser.key(key);
        assert_eq!(browser.text(now), format!("reads {}", reads_at(second)), "{key}");
        let said = browser.text("document.activeElement.getAttribute('aria-valuetext')");
        assert!(said.starts_with(&format!("at {second} s: naive reads {}; singleflight ", reads_at(second))), "{said}");
    }
    browser.key("Escape");
    assert_eq!(browser.text(now), "");
    // The spectrum's last value is the slowest request, within the histogram's three digits.
    browser.eval("document.querySelector('#spectrum .scrub').focus()");
    browser.key("Home");
    let said = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    assert!(said.starts_with("at p0: "), "{said}");
    browser.assert_quiet();
}

#[test]
fn without_a_script_everything_is_there() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = eventful(dir.path());
    browser.call("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.goto(&page_of(dir.path()));
    browser.assert_quiet();
    assert_is_the_record(&mut browser, &run);
    assert_eq!(
        browser.eval("document.querySelectorAll('button, [role=slider]').length"),
        0,
        "nothing that would do nothing"
    );
    for order in 0..run.strategies.len() {
        assert!(visible(&mut browser, order) >= 8);
    }
    let hidden = "[...document.querySelectorAll('section, figure, svg, table')].filter((e) => e.getClientRects().length === 0).length";
    assert_eq!(browser.eval(hidden), 0);
}

/// No wider than the window, in either colour scheme; a picture of each is left in `target/tmp/page/`.
#[test]
fn it_fits_a_phone_and_a_desk_by_day_and_by_night() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    eventful(dir.path());
    let page = page_of(dir.path());
    let mut papers = Vec::new();
    for (width, scheme) in [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")] {
        browser.look_like(width, scheme);
        browser.goto(&page);
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), width, "{width} {scheme}");
        papers.push(browser.text("getComputedStyle(document.body).backgroundColor"));
        browser.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page/{width}-{scheme}.png")));
    }
    assert_eq!(papers, ["rgb(255, 255, 255)", "rgb(20, 23, 26)", "rgb(255, 255, 255)", "rgb(20, 23, 26)"]);
    let features = serde_json::json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    browser.call("Emulation.setEmulatedMedia", serde_json::json!({ "media": "print", "features": features }));
    assert_eq!(browser.text("getComputedStyle(document.body).backgroundColor"), papers[0], "paper is white");
    assert_eq!(browser.text("getComputedStyle(document.querySelector('.scrub')).display"), "none");
    let pdf = browser.call("Page.printToPDF", serde_json::json!({ "printBackground": false }));
    assert!(pdf["data"].as_str().unwrap().len() > 50_000);
}

/// Whatever the names are, they stay text: nothing of them runs, and the policy would not let it.
#[test]
fn hostile_names_stay_text() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut run = eventful(dir.path());
    let hostile = "\"><script>window.owned=1</script><img src=x onerror='window.owned=1'></style></title>:|a b";
    for text in
        [&mut run.scenario, &mut run.summary, &mut run.command, &mut run.run, &mut run.load, &mut run.environment.os]
    {
        *text = hostile.into();
    }
    run.strategies[0].name = hostile.into();
    run.strategies[0].spec = hostile.into();
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    browser.goto(&page_of(dir.path()));
    browser.assert_quiet();
    assert_is_the_record(&mut browser, &run);
    assert_eq!(
        browser.eval("[typeof window.owned, document.querySelectorAll('img').length, document.scripts.length].join()"),
        "undefined,0,1"
    );
    browser.point(".legend [data-hides=\"0\"]", (0.1, 0.5), true);
    assert_eq!(visible(&mut browser, 0), 0);
    browser.eval("document.querySelector('#spectrum .scrub').focus()");
    browser.key("End");
    assert!(browser.text("document.activeElement.getAttribute('aria-valuetext')").contains(" ms"));
    browser.eval(
        "document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.owned = 1' }))",
    );
    assert_eq!(browser.eval("typeof window.owned"), "undefined", "no script but the page's own");
}

/// Whatever a run is like, its page is quiet, fits, and says what it must.
#[test]
fn every_kind_of_run_has_its_page() {
    let Some(mut browser) = Browser::open() else { return };
    browser.look_like(390, "light");
    let mut check = |dir: &Path, wanted: &[&str], unwanted: &[&str]| {
        let run = RunFolder::at(dir).read_run().unwrap();
        browser.goto(&page_of(dir));
        browser.assert_quiet();
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390, "{}", run.run);
        if !run.strategies.is_empty() {
            assert_is_the_record(&mut browser, &run);
        }
        let said = browser.text("document.body.textContent");
        wanted.iter().for_each(|text| assert!(said.contains(text), "{text} is not in the page of {}", run.run));
        unwanted.iter().for_each(|text| assert!(!said.contains(text), "{text} is in the page of {}", run.run));
    };
    let dir = tempfile::tempdir().unwrap();
    let one = || Plan { shapes: vec![shape(Kind::Swr, "swr", "swr + lock")], ..hotkey(6) };

    write(&one(), dir.path());
    check(
        dir.path(),
        &["Valid: every check of the run passed.", "1 strategy, 6 s each"],
        &["What each strategy trades", "Simulated"],
    );

    write(&bulk_warm(), dir.path());
    check(dir.path(), &["around the first wave of expiries"], &["the hot key of"]);

    write(&Plan { open: Some(2_000_000_000..3_400_000_000), ..one() }, dir.path());
    check(dir.path(), &["p99 of service time, from the actual send", "Dashed, where it is another: service time"], &[]);

    let mut run = write(&one(), dir.path());
    let folder = RunFolder::at(dir.path());
    run.lab = "sim".into();
    run.complete = false;
    run.strategies[0].cut_after_s = Some(3.25);
    folder.write_run(&run).unwrap();
    check(
        dir.path(),
        &["Simulated: exact in what reaches the origin", "INTERRUPTED: swr was cut short after 3.2 s"],
        &[],
    );

    let mut run = write(&Plan { duration_s: 0, warmup_s: 0, ..one() }, dir.path());
    check(dir.path(), &["no requests", "no read reached the origin", "No response times were recorded"], &[]);
    fs::remove_dir_all(folder.strategy("swr").unwrap().path()).unwrap();
    check(dir.path(), &["no seconds.csv"], &[]);
    run.strategies.clear();
    folder.write_run(&run).unwrap();
    check(dir.path(), &["Nothing was run.", "No strategy was run."], &["Origin reads per second"]);
    (run.duration_s, run.warmup_s) = (-1e300, 1e300);
    folder.write_run(&run).unwrap();
    check(dir.path(), &[], &[]);

    let target = tempfile::tempdir().unwrap();
    write_target(&one(), target.path());
    check(
        target.path(),
        &["A foreign target", "what reached the origin is not known", "Response time over the run", "unknown 100.0%"],
        &["Origin reads per second", "One expiry from close by", "Who waited"],
    );
}

/// A run that is too long for a screen has several seconds in a column, and says so; its one peak is still there.
#[test]
fn no_peak_is_lost_in_a_long_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut run =
        write(&Plan { duration_s: 2, shapes: vec![shape(Kind::Swr, "swr", "swr + lock")], ..hotkey(2) }, dir.path());
    run.duration_s = 7200.0;
    let folder = RunFolder::at(dir.path());
    folder.write_run(&run).unwrap();
    let row = |second: i64| {
        let peak = second == 5003;
        BinRow {
            start_ms: second * 1000,
            hit: 400,
            origin_starts: Some(if peak { 4321 } else { 1 }),
            p99_ms: Some(if peak { 9876.0 } else { 1.0 }),
            ..BinRow::default()
        }
    };
    folder.strategy("swr").unwrap().write_seconds(&(0..7200).map(row).collect::<Vec<_>>()).unwrap();
    let page = fs::read_to_string(page_of(dir.path())).unwrap();
    assert!(page.contains("Each column is 6 s: its bar is its highest second."));
    assert_eq!(
        (page.matches(" 4321 ").count(), page.matches(" 9876 ").count()),
        (2, 1),
        "reads twice, as bars and beside waiters"
    );
    assert!(page.contains("hit::400 400 "), "the mean of six seconds");
    assert!(page.len() < 500_000, "{} bytes", page.len());
}

/// Ten strategies, five minutes each: small enough to be mailed, and open at once.
#[test]
fn a_large_page_is_small_and_opens_at_once() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let naive = || vec![shape(Kind::Naive, "naive", "plain")];
    let mut run = write(&Plan { shapes: naive(), ..hotkey(300) }, dir.path());
    // Ten names for the same records.
    run.strategies = (0..10).map(|n| Strategy { name: format!("naive-{n}"), ..run.strategies[0].clone() }).collect();
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    let page = page_of(dir.path());
    let bytes = fs::metadata(&page).unwrap().len();
    assert!((300_000..3_000_000).contains(&bytes), "{bytes} bytes");
    browser.goto(&page);
    browser.assert_quiet();
    // A tenth of this on a machine that does nothing else.
    let took_ms = browser.eval("performance.getEntriesByType('navigation')[0].loadEventEnd").as_f64().unwrap();
    assert!(took_ms < 5_000.0, "{took_ms} ms");
}

/// What the containers took has a section of its own, and those who were held back are named.
#[test]
fn containers_have_their_panels() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = eventful(dir.path());
    let row = |second: i64, container: &str| ContainerRow {
        t_ns: second * 1_000_000_000 + 500_000_000,
        container: container.into(),
        cpu_cores: 0.25,
        memory_bytes: 3 << 20,
        received_bytes: 0,
        sent_bytes: 0,
        throttled_ms: if container == "redis-1" { 4.0 } else { 0.0 },
    };
    let rows: Vec<ContainerRow> =
        (0..20).flat_map(|second| ["app-1", "app-2", "redis-1"].map(|name| row(second, name))).collect();
    RunFolder::at(dir.path()).strategy(&run.strategies[2].folder).unwrap().write_containers(&rows).unwrap();
    browser.look_like(390, "light");
    browser.goto(&page_of(dir.path()));
    browser.assert_quiet();
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390);
    let said = browser.text("document.querySelector('#containers [data-s=\"2\"]').innerText");
    assert!(said.contains("2 × app") && said.contains("HELD BACK by a limit: redis 80 ms"), "{said}");
    let none = browser.text("document.querySelector('#containers [data-s=\"0\"]').innerText");
    assert!(none.contains("no samples"), "{none}");
}

/// With repeats the table has their medians, each run is a dot, and what the blocks tell apart is said.
#[test]
fn repeats_are_dots_with_intervals() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut run = write(&hotkey(20), dir.path());
    run.blocks = (0..10)
        .map(|n| Block { seed: n, plan_hash: format!("{n:x}"), order: vec!["naive".into(), "swr".into()] })
        .collect();
    for strategy in &mut run.strategies {
        let repeat = |n: u64| {
            let mut again = strategy.clone();
            again.origin.as_mut().unwrap().total += n;
            again.latency_ms.p99 = again.latency_ms.p99.map(|p99| p99 + n as f64 / 10.0);
            again
        };
        strategy.repeats = (1..10).map(repeat).collect();
    }
    run.comparisons = report::compare::within(&run, &report::compare::Noise::default());
    let folder = RunFolder::at(dir.path());
    folder.write_run(&run).unwrap();
    browser.look_like(390, "light");
    browser.goto(&page_of(dir.path()));
    browser.assert_quiet();
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390);
    assert_is_the_record(&mut browser, &run.typical());
    let metrics =
        browser.text("[...document.querySelectorAll('#repeats figcaption')].map((e) => e.textContent).join()");
    assert_eq!(metrics, "origin reads,most reads a second,p99", "nobody had errors");
    assert_eq!(browser.eval("document.querySelectorAll('#repeats .dot').length"), 3 * 5 * 10);
    assert_eq!(
        browser.eval("document.querySelectorAll('#repeats path.interval').length"),
        3 * 4,
        "four against the first"
    );
    let exact =
        browser.eval("[...document.querySelectorAll('.compared td[data-exact]')].map((e) => Number(e.dataset.exact))");
    let told = run.comparisons.iter().filter(|one| (one.from, one.to) != (0.0, 0.0));
    let expected: Vec<f64> = told.flat_map(|one| [one.ratio, one.p_holm]).collect();
    let found: Vec<f64> = exact.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    // JSON costs the last bit.
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(&expected).all(|(one, two)| (one / two - 1.0).abs() < 1e-12), "{found:?} {expected:?}");
    let said = browser.text("document.body.innerText");
    assert!(said.contains("better") && said.contains("10 runs of each in randomised blocks"), "{said}");

    // A block that is invalid makes its strategy so, whichever block it is.
    run.strategies[2].repeats[4].valid = false;
    run.strategies[2].repeats[4].invalid_because = vec!["the cache was restarted".into()];
    folder.write_run(&run).unwrap();
    browser.goto(&page_of(dir.path()));
    let said = browser.text("document.body.innerText");
    assert!(said.contains("do not use the numbers of swr: in block 6: the cache was restarted"), "{said}");
    assert_eq!(
        browser.eval("document.querySelectorAll('#repeats .dot').length"),
        3 * (5 * 10 - 1),
        "no dot of what is invalid"
    );
}

/// The committed records are older than some fields and still have their page.
#[test]
fn the_reference_runs_have_their_page() {
    let Some(mut browser) = Browser::open() else { return };
    for name in ["hotkey", "bulk-warm"] {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/reference").join(name);
        let page = tempfile::tempdir().unwrap();
        let page = page.path().join("page.html");
        let run = RunFolder::at(&reference).read_run().unwrap();
        render_page(&[reference], &page).unwrap();
        browser.goto(&page);
        browser.assert_quiet();
        assert_is_the_record(&mut browser, &run);
    }
}

#[test]
fn several_runs_share_a_page_that_says_what_differs() {
    let Some(mut browser) = Browser::open() else { return };
    let [one, two] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let first = write(&Plan { duration_s: 8, ..hotkey(8) }, one.path());
    let mut second = write(&Plan { duration_s: 8, ..hotkey(8) }, two.path());
    let page = one.path().join("both.html");
    let both = [one.path().to_owned(), two.path().to_owned()];

    render_page(&both, &page).unwrap();
    browser.look_like(390, "dark");
    browser.goto(&page);
    browser.assert_quiet();
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390);
    let said = browser.text("document.body.innerText");
    assert!(said.contains("Comparable: the same plan") && !said.contains("NOT THE SAME"), "{said}");
    assert!(browser.eval("document.querySelectorAll('.best').length").as_u64().unwrap() > 0);
    let names = browser.text("[...document.querySelectorAll('.verdict tbody .who')].slice(0, 3).map((e) => e.innerText.split('\\n')[0]).join()");
    assert_eq!(names, "naive · A,naive · B,singleflight · A", "the same strategy side by side");
    assert_eq!(browser.eval("document.querySelectorAll('.legend [data-hides]').length"), 10);

    second.plan_hash = "another".into();
    second.environment.cores = 64;
    RunFolder::at(two.path()).write_run(&second).unwrap();
    render_page(&both, &page).unwrap();
    browser.goto(&page);
    let said = browser.text("document.body.innerText");
    assert!(said.contains("NOT THE SAME: these runs differ in plan hash, machine."), "{said}");
    assert!(said.contains("another") && said.contains(&first.plan_hash) && said.contains("64 cores"), "{said}");
    assert_eq!(
        browser.eval("document.querySelectorAll('.best').length"),
        0,
        "nobody is best of what can't be compared"
    );

    let json = fs::read_to_string(two.path().join("run.json")).unwrap();
    fs::write(two.path().join("run.json"), json.replace("stampede.run/v1", "stampede.run/v2")).unwrap();
    let refused = render_page(&both, &page).unwrap_err().to_string();
    assert!(refused.contains("stampede.run/v2") && refused.contains("newer"), "{refused}");
}
