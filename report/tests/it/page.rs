//! `report.html` in a real Chromium: quiet, true to `run.json`, usable by mouse, by keyboard and without a script.

use std::fs;
use std::path::Path;

use crate::support::browser::Browser;
use crate::support::page::{assert_is_the_record, eventful, page_of};
use crate::support::{Kind, Plan, hotkey, shape, write};
use report::RunFolder;
use report::record::Strategy;

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
    // An invalid strategy is best at nothing, and one that is best is lowest or near it.
    assert_eq!(browser.eval("document.querySelectorAll('tr.invalid .best').length"), 0);
    assert!(browser.eval("document.querySelectorAll('.best').length").as_u64().unwrap() > 3);
    let totals = browser.text("[...document.querySelectorAll('.best[data-path=\"origin.total\"]')].map((e) => e.parentNode.dataset.name).join()");
    assert_eq!(totals, "swr,xfetch");
    // Everything that is drawn is said in words, too.
    assert_eq!(
        browser.eval("[...document.querySelectorAll('svg')].filter((svg) => !svg.querySelector('title').textContent || !svg.querySelector('desc').textContent).length"),
        0
    );
    let order = browser.text("[...document.querySelectorAll('h2')].map((h) => h.textContent).join(' | ')");
    assert_eq!(
        order,
        "Verdict | Origin reads per second | One expiry from close by | Response time over the run | Response time as a heat map | \
         Latency spectrum | \
         What each strategy trades | What became of the requests | Requests that waited, and the reads that they waited for | \
         The generator’s own health | Environment"
    );
    assert_eq!(browser.eval("document.querySelectorAll('nav a').length"), 11);
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

/// Who came back is the first column of figures, and at a laptop's width no figure is behind a scroll bar.
#[test]
fn of_a_run_with_faults_recovery_comes_first_and_the_table_fits() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    eventful(dir.path());
    browser.look_like(1100, "light");
    browser.goto(&page_of(dir.path()));
    let first =
        "[...document.querySelectorAll('.verdict tbody tr td:nth-child(2)')].map((cell) => cell.textContent).join()";
    assert_eq!(browser.text(first), "–,NEVER,–,–,–");
    assert_eq!(browser.text("document.querySelector('.verdict td.bad').dataset.path"), "recovery.recovered_after_s");
    let hidden =
        "(() => { const s = document.querySelector('#verdict .scroll'); return s.scrollWidth - s.clientWidth; })()";
    assert_eq!(browser.eval(hidden), 0);
    let said = browser.text("document.querySelector('#verdict').textContent");
    assert!(
        said.contains("In trouble: seconds in which") && said.contains("too little was measured before or after"),
        "{said}"
    );
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

/// On a phone no label runs into its neighbour, and names that differ at their ends do so in the plots, too.
#[test]
fn on_a_phone_labels_are_apart_and_long_names_keep_their_ends() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut plan = hotkey(20);
    plan.shapes = ["plain + lock + limit(concurrency=2)", "plain + lock + limit(concurrency=3)"]
        .map(|name| shape(Kind::Single, name, name))
        .into();
    let mut run = write(&plan, dir.path());
    for strategy in &mut run.strategies {
        strategy.outcomes.error = strategy.outcomes.sum();
    }
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    let page = page_of(dir.path());
    let whole =
        "[...document.querySelectorAll('#spectrum .names > span')].every((e) => e.scrollWidth <= e.clientWidth + 1)";
    browser.look_like(1280, "light");
    browser.goto(&page);
    assert_eq!(browser.eval(whole), true, "what failed stands beside the name");
    browser.look_like(390, "light");
    browser.goto(&page);
    assert_eq!(browser.eval(whole), true);
    write(&plan, dir.path());
    browser.goto(&page_of(dir.path()));
    let ends = "[...document.querySelectorAll('.names b')].map((b) => { const text = document.createRange(); \
        const last = document.createTreeWalker(b, 4); let node; while (last.nextNode()) node = last.currentNode; \
        text.setStart(node, node.length - 2); text.setEnd(node, node.length); \
        return text.getBoundingClientRect().right <= b.closest('.names').getBoundingClientRect().right + 1; })";
    assert!(browser.eval(&format!("{ends}.length")).as_u64() >= Some(4));
    assert_eq!(browser.eval(&format!("{ends}.every((seen) => seen)")), true);
    let apart = "[...document.querySelectorAll('.xs')].every((xs) => [...xs.children].map((e) => e.getBoundingClientRect()) \
        .filter((box) => box.width > 0).every((box, at, all) => at === 0 || box.left > all[at - 1].right))";
    assert_eq!(browser.eval(apart), true);
}

/// A strategy that shows a mistake is best at nothing, however cheap it is: what it breaks is no figure.
#[test]
fn what_is_wrong_on_purpose_is_best_at_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut plan = hotkey(20);
    plan.shapes.truncate(3);
    plan.shapes[2] = shape(Kind::Swr, "broken-lock", "WRONG ON PURPOSE (it keeps nothing): swr + lock");
    let run = write(&plan, dir.path());
    let page = fs::read_to_string(page_of(dir.path())).unwrap();
    let row = page.split("<tr ").find(|row| row.contains("data-name=\"broken-lock\"")).unwrap();
    assert!(!row.contains("best") && page.contains("class=\"first best\""), "{row}");
    let front = page.split("On the front: ").nth(1).unwrap().split('<').next().unwrap();
    assert!(!front.contains("broken-lock"), "{front}");
    let said = report::verdict_table(&run);
    let lowest = said.split("Lowest p99").nth(1).unwrap_or_default();
    assert!(!lowest.contains("broken-lock") && said.contains("WRONG ON PURPOSE: broken-lock"), "{said}");
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
