//! The page's heat map: every request of `latency.hlog` is in one cell, drawn and told the same, whatever the file is.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::browser::Browser;
use crate::support::page::page_of;
use crate::support::{Kind, MS, Plan, hotkey, shape, write};
use hdrhistogram::Histogram;
use report::record::{EventRow, Run, ServerRow};
use report::{HlogHeader, RunFolder, render_page};

const FAST_NS: u64 = 2_100_000;
const SLOW_NS: u64 = 1_200_000_000;
const LEAST_NS: u64 = 300_000;

/// Two strategies over so many seconds.
fn plan(duration_s: i64) -> Plan {
    let shapes = vec![shape(Kind::Naive, "naive", "plain"), shape(Kind::Swr, "swr", "swr + lock")];
    Plan { shapes, warmup_s: 2, ..hotkey(duration_s) }
}

/// How many requests of a second took how long: in a stall of four seconds there are two groups, and between them nothing.
fn second(at: i64) -> Vec<(u64, u64)> {
    let at_u = at.unsigned_abs();
    let slow = if (8..12).contains(&at) { 30 + at_u } else { 0 };
    [(LEAST_NS, 1), (FAST_NS, 100 + at_u), (SLOW_NS, slow)].into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Writes `latency.hlog` with these requests in each second, two of them in the warm-up.
fn write_log(dir: &Path, strategy: &str, seconds: std::ops::Range<i64>, of: impl Fn(i64) -> Vec<(u64, u64)>) {
    let header = HlogHeader { warmup_began: SystemTime::UNIX_EPOCH, t0_offset_ms: 2000 };
    let files = RunFolder::at(dir).strategy(strategy).unwrap();
    let histogram = |values: Vec<(u64, u64)>| {
        let mut all = Histogram::<u64>::new(3).unwrap();
        values.into_iter().for_each(|(ns, count)| all.record_n(ns, count).unwrap());
        all
    };
    files
        .write_latency(header, |log| {
            (-2..0).chain(seconds).try_for_each(|at| {
                log.write(at * 1000, Duration::from_secs(1), "resp", &histogram(of(at)))?;
                log.write(at * 1000, Duration::from_secs(1), "resp.hit", &histogram(vec![(5, 7)]))
            })
        })
        .unwrap();
}

/// A run whose first strategy stalls from second 8 to 12, with faults and a mark of the cache's server around that.
fn stalled(dir: &Path) -> Run {
    let mut run = write(&plan(20), dir);
    write_log(dir, "naive", 0..20, second);
    run.strategies[0].requests = (0..20).flat_map(second).map(|(_, count)| count).sum();
    let folder = RunFolder::at(dir);
    folder.write_run(&run).unwrap();
    let files = folder.strategy("naive").unwrap();
    let fault = |t_s: i64| EventRow { t_ns: t_s * 1000 * MS, event: "fault".into(), ..EventRow::default() };
    files.write_events(&[fault(8), fault(12)]).unwrap();
    let forked = ServerRow { t_ns: 7500 * MS, marks: "fork".into(), ..ServerRow::default() };
    files.write_server(&[forked]).unwrap();
    run
}

/// The page's text, its cells of a strategy (column, step's ends in milliseconds, count) and its rows.
fn cells(page: &str, order: usize) -> Vec<(usize, (f64, f64), u64)> {
    let section = page.split("<section id=\"heat\"").nth(1).unwrap().split("</section>").next().unwrap();
    let attribute = |text: &str, name: &str| {
        text.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let ends: Vec<f64> = attribute(section, "data-rows").split('|').map(|end| end.parse().unwrap()).collect();
    let figure = section.split("<figure ").nth(order + 1).unwrap();
    let mut found = Vec::new();
    for (column, text) in attribute(figure, "data-cells").split('|').enumerate().filter(|(_, text)| !text.is_empty()) {
        let (first, counts) = text.split_once(',').unwrap();
        let first: usize = first.parse().unwrap();
        let counts = counts.split(',').enumerate().filter(|(_, count)| !count.is_empty());
        found.extend(counts.map(|(more, count)| {
            (column, (ends[first + more], ends[first + more + 1]), count.parse::<u64>().unwrap())
        }));
    }
    found
}

fn total(page: &str, order: usize) -> u64 {
    cells(page, order).iter().map(|cell| cell.2).sum()
}

fn text_of(dir: &Path) -> String {
    fs::read_to_string(page_of(dir)).unwrap()
}

#[test]
fn a_stall_has_two_groups_of_requests_that_are_drawn_and_told() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    stalled(dir.path());
    let page = page_of(dir.path());
    let expected: Vec<(usize, (f64, f64), u64)> = (0..20)
        .flat_map(|at| second(at).into_iter().map(move |(ns, count)| (at as usize, ns, count)))
        .map(|(at, ns, count)| {
            (at, [(LEAST_NS, (0.25, 0.315)), (FAST_NS, (2.0, 2.5)), (SLOW_NS, (1000.0, 1250.0))], ns, count)
        })
        .map(|(at, ends, ns, count)| (at, ends.into_iter().find(|(of, _)| *of == ns).unwrap().1, count))
        .collect();
    assert_eq!(cells(&fs::read_to_string(&page).unwrap(), 0), expected, "warm-up and other tags are left out");

    browser.look_like(1280, "light");
    browser.goto(&page);
    browser.assert_quiet();
    let now = "document.querySelector('#heat [data-s=\"0\"] .now').textContent";
    let ends = browser.text("document.querySelector('#heat .panels').dataset.rows");
    let ends: Vec<&str> = ends.split('|').collect();
    let rows = (ends.len() - 1) as f64;
    for (column, (from, to), count) in expected.iter().filter(|cell| [0, 7, 8, 11, 19].contains(&cell.0)) {
        let row = ends.iter().position(|end| *end == from.to_string()).unwrap();
        let at = ((*column as f64 + 0.5) / 20.0, (rows - row as f64 - 0.5) / rows);
        browser.point("#heat [data-s=\"0\"] .box", at, false);
        let requests = if *count == 1 { "request" } else { "requests" };
        assert_eq!(browser.text(now), format!("{count} {requests} of {from} to {to} ms"), "at {column} s");
        assert_eq!(browser.text("document.querySelector('#heat .scrub').textContent"), format!("at {column} s"));
    }
    // Between the two groups there is nothing, and the lines above are at the same second.
    browser.point("#heat [data-s=\"0\"] .box", ((8.0 + 0.5) / 20.0, 0.5), false);
    assert!(browser.text(now).starts_with("0 requests of "), "{}", browser.text(now));
    assert!(browser.text("document.querySelector('#latency [data-s=\"0\"] .now').textContent").contains("p99 "));
    // Where others are read, the map tells the whole second.
    browser.point("#latency [data-s=\"0\"] .box", ((9.0 + 0.5) / 20.0, 0.5), false);
    assert_eq!(browser.text(now), "149 requests of 0.25 to 1250 ms");
    assert_eq!(browser.eval("document.querySelectorAll('.cell.on').length"), 0);
    browser.assert_quiet();
}

/// Each cell with requests lies under one stroke, of the colour that the legend has for its count, and no other does. The
/// marks are those of the panel above.
#[test]
fn what_is_drawn_is_what_is_told() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    stalled(dir.path());
    browser.look_like(1280, "light");
    browser.goto(&page_of(dir.path()));
    let wrong = browser.text(
        "(() => { \
         const keys = [...document.querySelectorAll('#heat .how .swatch')].map((key) => [key.className.split(' ')[1], \
           key.parentNode.textContent.split('–').map(Number)]); \
         const rows = document.querySelector('#heat .panels').dataset.rows.split('|').length - 1; \
         const wrong = []; \
         for (const panel of document.querySelectorAll('#heat .panel')) { \
           const paths = [...panel.querySelectorAll('.cells path')]; \
           panel.dataset.cells.split('|').forEach((text, column) => { \
             const [first, ...counts] = text.split(','); \
             for (let row = 0; row < rows; row++) { \
               const count = Number(counts[row - first] || 0); \
               const key = keys.find(([, [from, to]]) => count >= from && count <= (to ?? from)); \
               const at = new DOMPoint(column + 0.5, rows - 1 - row); \
               const seen = paths.filter((path) => path.isPointInStroke(at)).map((path) => path.getAttribute('class')).join(); \
               if (seen !== (count ? key[0] : '')) wrong.push(`${panel.dataset.s} ${column} ${row} ${count} ${seen}`); \
             } \
           }); \
         } \
         return `${keys.length} keys: ${wrong.join('; ')}.`; })()",
    );
    // Counts of 1, of 38 to 41 and of 100 to 119, and whatever the other strategy has.
    assert_eq!(wrong, "7 keys: .");
    let shades = browser.text(
        "[...document.querySelectorAll('#heat .how .swatch')].map((key) => getComputedStyle(key).backgroundColor).join(' ')",
    );
    let light: Vec<f64> = shades.split("rgb").filter_map(luminance).collect();
    assert!(light.len() >= 5 && light.windows(2).all(|two| two[0] > two[1]), "the more, the darker: {shades}");
    browser.look_like(1280, "dark");
    let shades = browser.text(
        "[...document.querySelectorAll('#heat .how .swatch')].map((key) => getComputedStyle(key).backgroundColor).join(' ')",
    );
    let light: Vec<f64> = shades.split("rgb").filter_map(luminance).collect();
    assert!(light.len() >= 5 && light.windows(2).all(|two| two[0] < two[1]), "at night the lighter: {shades}");
    let marks = |section: &str| {
        format!(
            "[...document.querySelectorAll('#{section} [data-s=\"0\"] :is(path.fault, path.server)')].map((path) => \
             path.getAttribute('class') + path.getAttribute('d')).join() + [...document.querySelectorAll('#{section} \
             [data-s=\"0\"] .flag')].map((flag) => flag.textContent + flag.style.left).join()"
        )
    };
    let above = browser.text(&marks("latency"));
    assert!(
        above.contains("M400 0V1000M600 0V1000") && above.contains("fork") && above.contains("140%,260%"),
        "{above}"
    );
    assert_eq!(browser.text(&marks("heat")), above);
    // The numbers of the faults cover no cell.
    let covered = "[...document.querySelectorAll('#heat .flag')].some((flag) => { const box = flag.getBoundingClientRect(); \
        return [...flag.closest('.box').querySelectorAll('.cells path')].some((path) => path.getBoundingClientRect().top < box.bottom - 1); })";
    assert_eq!(browser.eval(covered), false);
}

/// How light `(r, g, b)` is.
fn luminance(rgb: &str) -> Option<f64> {
    let parts = rgb.trim().strip_prefix('(')?.strip_suffix(')')?.split(", ");
    let parts: Vec<f64> = parts.map(|part| part.parse::<f64>().unwrap() / 255.0).map(|part| part.powf(2.2)).collect();
    Some(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
}

#[test]
fn cells_are_read_by_arrow_keys() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    stalled(dir.path());
    browser.look_like(1280, "light");
    browser.goto(&page_of(dir.path()));
    // Only the one whose cells are known is left.
    browser.point(".legend [data-hides=\"1\"]", (0.5, 0.5), true);
    let now = "document.querySelector('#heat [data-s=\"0\"] .now').textContent";
    browser.eval("document.querySelector('#heat .scrub').focus()");
    for (key, said) in [
        ("Home", "101 requests of 0.25 to 2.5 ms"),
        ("ArrowDown", "100 requests of 2 to 2.5 ms"),
        ("ArrowDown", "1 request of 0.25 to 0.315 ms"),
        ("ArrowDown", "1 request of 0.25 to 0.315 ms"),
        ("ArrowUp", "100 requests of 2 to 2.5 ms"),
        ("ArrowRight", "101 requests of 2 to 2.5 ms"),
        ("End", "119 requests of 2 to 2.5 ms"),
        ("PageDown", "117 requests of 2 to 2.5 ms"),
        ("Escape", ""),
        ("ArrowUp", "1 request of 0.25 to 0.315 ms"),
    ] {
        browser.key(key);
        assert_eq!(browser.text(now), said, "{key}");
    }
    let said = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    assert_eq!(said, "at 0 s: naive 1 request of 0.25 to 0.315 ms");
    let marked = browser.eval(
        "(() => { const cell = document.querySelector('#heat [data-s=\"0\"] .cell.on').getBoundingClientRect(); \
         const box = document.querySelector('#heat [data-s=\"0\"] .box').getBoundingClientRect(); \
         return [(cell.left - box.left) / box.width, cell.width / box.width * 20, Math.abs(cell.bottom - box.bottom) < 1]; })()",
    );
    assert!(marked[0].as_f64().unwrap().abs() < 0.001 && (marked[1].as_f64().unwrap() - 1.0).abs() < 0.01, "{marked}");
    assert_eq!(marked[2], true, "the lowest row is the shortest time of the page");
    browser.assert_quiet();
}

/// What the file lacks is said; what it has is all there. A damaged one is refused with its line, and no page is written.
#[test]
fn a_log_that_is_gone_cut_or_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = stalled(dir.path());
    let whole = text_of(dir.path());
    assert_eq!(total(&whole, 0), run.strategies[0].requests);
    assert_eq!(total(&whole, 1), run.strategies[1].requests, "of records that the lab's own code wrote");
    assert!(!whole.contains("latency.hlog has") && !whole.contains("heat map, for want"), "nothing lacks");
    let log = dir.path().join("naive/latency.hlog");
    let text = fs::read_to_string(&log).unwrap();

    let cut: String = text.split_inclusive("Tag=resp,12.000").take(1).collect();
    fs::write(&log, cut.trim_end_matches("Tag=resp,12.000")).unwrap();
    let kept: u64 = (0..10).flat_map(second).map(|(_, count)| count).sum();
    let page = text_of(dir.path());
    assert_eq!(total(&page, 0), kept);
    assert!(page.contains(&format!("{} requests · latency.hlog has {kept}", run.strategies[0].requests)));
    let holes: String = text
        .split_inclusive('\n')
        .filter(|line| !["Tag=resp,5.0", "Tag=resp,9.0"].iter().any(|at| line.starts_with(at)))
        .collect();
    fs::write(&log, holes).unwrap();
    let page = text_of(dir.path());
    let columns: Vec<usize> = cells(&page, 0).iter().map(|cell| cell.0).filter(|column| *column < 9).collect();
    assert!(!columns.contains(&3) && !columns.contains(&7) && columns.contains(&8), "{columns:?}");

    let (before, after) = text.split_at(text.find("Tag=resp,7.0").unwrap());
    let flipped = format!("{before}{}", after.replacen("HISTF", "HISTX", 1));
    for damaged in [&text[..before.len() + 60], &flipped] {
        fs::write(&log, damaged).unwrap();
        let page = dir.path().join("refused.html");
        let said = render_page(&[dir.path().to_owned()], &page).unwrap_err().to_string();
        assert!(
            said.contains("naive/latency.hlog") && said.contains("line ") && said.contains("cut or edited"),
            "{said}"
        );
        assert!(!page.exists());
    }

    fs::remove_file(&log).unwrap();
    let page = text_of(dir.path());
    let heat = page.split("<section id=\"heat\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(heat.matches("no latency.hlog in this strategy’s folder").count(), 1);
    assert_eq!(total(&page, 1), run.strategies[1].requests);
    fs::remove_file(dir.path().join("swr/latency.hlog")).unwrap();
    assert!(text_of(dir.path()).contains("No heat map, for want of latency.hlog: naive, swr."));
}

/// An hour is in columns of three seconds, and takes no more room than an hour's other charts.
#[test]
fn an_hour_is_whole_and_small() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = write(&Plan { shapes: vec![shape(Kind::Swr, "swr", "swr + lock")], ..plan(2) }, dir.path());
    let times = |at: i64| {
        let alone = (at == 1801).then_some((40_000_000_000, 1));
        (0..20).map(|n| (900_000 << (n / 2), 1 + (at.unsigned_abs() * 7 + n) % (30 - n))).chain(alone).collect()
    };
    write_log(dir.path(), "swr", 0..3600, times);
    run.duration_s = 3600.0;
    run.strategies[0].requests = (0..3600).flat_map(times).map(|(_, count): (u64, u64)| count).sum();
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    let page = text_of(dir.path());
    assert_eq!(total(&page, 0), run.strategies[0].requests);
    assert_eq!(cells(&page, 0).last().map(|cell| cell.0), Some(1199), "whatever seconds.csv has");
    assert!(page.contains("that were due in the same 3 s and took so long") && !page.contains("latency.hlog has"));
    let heat = page.split("<section id=\"heat\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(heat.contains("M600 0h4"), "the one slow request is wide enough to be seen");
    assert!(heat.len() < 250_000, "{} bytes", heat.len());
}

/// As the lines above it, the map shows the first run of several, and says so much of it.
#[test]
fn of_repeats_the_first_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = stalled(dir.path());
    let once = cells(&text_of(dir.path()), 0);
    for strategy in &mut run.strategies {
        strategy.repeats = vec![report::record::Strategy { requests: strategy.requests + 1000, ..strategy.clone() }];
    }
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    let page = text_of(dir.path());
    assert_eq!(cells(&page, 0), once);
    assert!(page.contains(&format!("<span>{} requests</span>", run.strategies[0].requests)));
}
