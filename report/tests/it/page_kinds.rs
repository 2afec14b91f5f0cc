//! The page of every kind of run, in a real Chromium: interrupted, invalid, empty, long, repeated, foreign, old, several.

use std::fs;
use std::path::Path;

use crate::support::browser::Browser;
use crate::support::page::{assert_is_the_record, eventful, page_of};
use crate::support::target::write_target;
use crate::support::{Kind, Plan, bulk_warm, hotkey, shape, write};
use report::record::{BinRow, Block, ContainerRow};
use report::{RunFolder, render_page};

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
    (run.duration_s, run.warmup_s) = (1e9, 1e9);
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
