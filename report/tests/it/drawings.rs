//! Charts and page of made-up runs: the right number of marks, nothing from outside, nothing unescaped, the same twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::target::write_target;
use crate::support::{Kind, Plan, bulk_warm, hotkey, shape, write};
use report::{RunFolder, render};

const BAR: &str = "fill=\"#0072B2\"";
const WARMUP_BAR: &str = "fill=\"#B4BDC6\"";
const INVALID_BAR: &str = "fill=\"#9A9A9A\"";
const FLOOR: &str = "stroke=\"#D55E00\"";
const FAULT: &str = "stroke=\"#8E2F7D\"";

fn small() -> Plan {
    let mut plan = hotkey(12);
    plan.shapes.truncate(1);
    plan.shapes.push(shape(Kind::Jitter, "jitter", "plain + jitter(20%)"));
    plan
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

fn bars(svg: &str, fill: &str) -> usize {
    svg.lines().filter(|line| line.starts_with("<rect") && line.contains(fill)).count()
}

#[test]
fn a_chart_has_a_bar_for_each_second_with_reads() {
    let dir = tempfile::tempdir().unwrap();
    write(&small(), dir.path());
    let rendered = render(dir.path()).unwrap();
    assert_eq!(rendered.files.len(), 2 * 2 + 3 * 2 + 3);
    assert!(rendered.files.iter().all(|file| file.is_file()));

    let rows = RunFolder::at(dir.path()).strategy("naive").unwrap().read_seconds().unwrap();
    let measured = rows.iter().filter(|row| row.start_ms >= 0 && row.origin_starts > Some(0)).count();
    let warmup = rows.iter().filter(|row| row.start_ms < 0 && row.origin_starts > Some(0)).count();
    let naive = read(dir.path(), "charts/naive.svg");
    assert_eq!((bars(&naive, BAR), bars(&naive, WARMUP_BAR)), (measured, warmup));
    assert!(naive.contains(FLOOR) && naive.contains("hot key expires"));
    let jitter = read(dir.path(), "charts/jitter.svg");
    assert!(!jitter.contains(FLOOR), "no floor where TTLs are lengthened");

    let comparison = read(dir.path(), "charts/comparison.svg");
    assert_eq!(bars(&comparison, BAR), bars(&naive, BAR) + bars(&jitter, BAR), "the same bars, warm-up left out");
    assert!(comparison.contains("at most 50 requests can be in flight, the arrivals are each strategy"));
}

/// What was not measured is not drawn as if nothing had happened there.
#[test]
fn a_strategy_that_was_cut_short_says_so_in_its_charts() {
    let dir = tempfile::tempdir().unwrap();
    write(&small(), dir.path());
    let folder = RunFolder::at(dir.path());
    let mut run = folder.read_run().unwrap();
    run.complete = false;
    run.strategies[0].cut_after_s = Some(7.25);
    folder.write_run(&run).unwrap();
    render(dir.path()).unwrap();
    assert_eq!(read(dir.path(), "charts/comparison.svg").matches("cut short after 7.2 s").count(), 1);
    let naive = read(dir.path(), "charts/naive.svg");
    assert!(naive.contains("CUT SHORT after 7.2 s") && naive.contains("cut short after 7.2 s"), "{naive}");
}

/// The highest point (the smallest y) of all lines of a colour and a width.
fn highest(svg: &str, colour: &str, width: u32) -> Option<i32> {
    let stroke = format!("stroke=\"{colour}\" stroke-width=\"{width}\" points=\"");
    let points = svg.lines().filter_map(|line| line.split_once(&stroke)?.1.split('"').next());
    points.flat_map(str::split_whitespace).map(|point| point.split_once(',').unwrap().1.parse().unwrap()).min()
}

/// Sends are held up for 1.4 s: response time shows it, service time beside it does not.
#[test]
fn an_open_loop_has_both_clocks() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = || vec![shape(Kind::Swr, "swr", "swr + lock")];
    let open = |held| Plan { shapes: shapes(), open: Some(held), ..hotkey(12) };
    write(&open(5_000_000_000..6_400_000_000), dir.path());
    render(dir.path()).unwrap();
    let spectrum = read(dir.path(), "charts/latency-spectrum.svg");
    assert!(spectrum.contains("response time: from the planned send"));
    assert!(spectrum.contains("service time: from the actual send") && spectrum.contains("coordinated omission"));
    let (response, service) = (highest(&spectrum, "#000000", 4).unwrap(), highest(&spectrum, "#000000", 3).unwrap());
    assert!(response + 400 < service, "1400 ms at {response}, 5 ms at {service}");
    let swr = read(dir.path(), "charts/swr.svg");
    assert!(swr.contains("service p99: from the actual send, not the planned one"));
    assert!(highest(&swr, "#009E73", 3).is_some());

    write(&open(0..0), dir.path());
    render(dir.path()).unwrap();
    let swr = read(dir.path(), "charts/swr.svg");
    assert!(
        swr.contains("has the same p99 in each second, within 10 % or 1 ms") && highest(&swr, "#009E73", 3).is_none()
    );

    write(&Plan { shapes: shapes(), ..hotkey(12) }, dir.path());
    render(dir.path()).unwrap();
    let spectrum = read(dir.path(), "charts/latency-spectrum.svg");
    assert!(spectrum.contains("closed loop: a client plans its next send when it has its answer"));
    assert!(highest(&spectrum, "#000000", 3).is_none() && !spectrum.contains("service time: from"), "no second line");
    assert!(!read(dir.path(), "charts/swr.svg").contains("service p99"));
}

/// The axis of the herd ends where the herd does, and keeps the whole of a long one.
#[test]
fn the_herds_axis_ends_after_its_last_read() {
    let dir = tempfile::tempdir().unwrap();
    let last_tick = |plan: &Plan| {
        write(plan, dir.path());
        render(dir.path()).unwrap();
        let herd = read(dir.path(), "charts/herd.svg");
        let ticks = herd.lines().filter(|line| line.len() > 2).filter_map(|line| line.parse::<f64>().ok());
        ticks.fold(0.0, f64::max)
    };
    assert_eq!((last_tick(&small()), last_tick(&bulk_warm())), (0.4, 2.0));
}

/// A herd's line that is too long for its panel loses the reason why there is no theory, not its end.
#[test]
fn the_herds_words_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut run =
        write(&Plan { shapes: vec![shape(Kind::Early, "a-strategy-with-a-name", "xfetch")], ..hotkey(12) }, dir.path());
    run.strategies[0].not_predicted = vec![report::record::NotPredicted {
        premise: "no-events".into(),
        because: "the scenario's events disturb the cycle in a way that takes many words".into(),
        figures: vec!["per_expiry".into()],
    }];
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    render(dir.path()).unwrap();
    let herd = read(dir.path(), "charts/herd.svg");
    assert!(herd.contains("never seen to expire") && !herd.contains('…'), "{herd}");
}

/// A quick answer or few reads are cheap for a strategy that turns requests away: each chart with such a figure says so.
#[test]
fn charts_say_what_failed_beside_their_figures() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = write(&small(), dir.path());
    let answered = run.strategies[0].outcomes.sum();
    run.strategies[0].outcomes.error = answered;
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    render(dir.path()).unwrap();
    for (chart, says) in [("naive", true), ("comparison", true), ("latency-spectrum", true), ("jitter", false)] {
        assert_eq!(read(dir.path(), &format!("charts/{chart}.svg")).contains("50.0% failed"), says, "{chart}");
    }
    let page = read(dir.path(), "report.html");
    assert!(page.matches("50.0% failed").count() >= 3, "over the run, spectrum, and what is read out of the reads");
}

/// The mark of a fault crosses no other's label, nor the warm-up's.
#[test]
fn marks_of_faults_cross_no_words() {
    let dir = tempfile::tempdir().unwrap();
    write(&small(), dir.path());
    let naive = RunFolder::at(dir.path()).strategy("naive").unwrap();
    let mut events = naive.read_events().unwrap();
    for (t_ms, what) in
        [(-4500, "flush"), (3000, "expire 1"), (3100, "replica-0 paused for 8300ms"), (4500, "expire 2")]
    {
        events.push(report::record::EventRow {
            t_ns: t_ms * 1_000_000,
            event: "fault".into(),
            detail: Some(what.into()),
            ..Default::default()
        });
    }
    events.sort_by_key(|event| event.t_ns);
    naive.write_events(&events).unwrap();
    render(dir.path()).unwrap();
    let svg = read(dir.path(), "charts/naive.svg");
    let value = |line: &str, name: &str| {
        line.split_once(&format!(" {name}=\"")).unwrap().1.split('"').next().unwrap().to_owned()
    };
    let number = |line: &str, name: &str| value(line, name).parse::<f64>().unwrap();
    let lines: Vec<&str> = svg.lines().collect();
    let words: Vec<(f64, f64, &str)> = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("<text") && (pair[0].contains("#8E2F7D") || pair[1].starts_with("grey: ")))
        .map(|pair| (number(pair[0], "x"), number(pair[0], "y"), pair[1]))
        .collect();
    assert_eq!(words.len(), 5, "{words:?}");
    for mark in lines.iter().filter(|line| line.contains(FAULT) && line.contains("stroke-width=\"2\"")) {
        let ends: Vec<f64> = value(mark, "points").split([' ', ',']).filter_map(|part| part.parse().ok()).collect();
        let &[x, top, _, bottom] = &ends[..] else { panic!("{mark}") };
        for (left, y, said) in &words {
            // Letters are wider than 8 pixels each, and 14 high.
            let crosses = x > *left && x < left + 8.0 * said.len() as f64 && top < y + 7.0 && bottom > y - 7.0;
            assert!(!crosses, "the mark at {x} crosses «{said}»");
        }
    }
}

/// Without a ledger no chart shows origin reads, and none shows a nought in their place.
#[test]
fn a_target_without_a_ledger_has_response_times_where_reads_would_be() {
    let dir = tempfile::tempdir().unwrap();
    write_target(&small(), dir.path());
    let rendered = render(dir.path()).unwrap();
    assert!(rendered.files.iter().all(|file| !file.to_string_lossy().contains("herd")), "{:?}", rendered.files);
    let comparison = read(dir.path(), "charts/comparison.svg");
    assert!(comparison.contains("hotkey: response time, second by second") && !comparison.contains("origin reads"));
    assert_eq!((bars(&comparison, BAR), comparison.matches("<polyline").count() >= 6), (0, true));
    let naive = read(dir.path(), "charts/naive.svg");
    assert!(naive.contains("no ledger: origin reads are not known") && !naive.contains("no read reached"));
    assert_eq!(bars(&naive, BAR) + bars(&naive, WARMUP_BAR), 0);

    // One strategy of several: its panels say so, the others keep their bars.
    let mut run = write(&small(), dir.path());
    run.strategies[1].origin = None;
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    render(dir.path()).unwrap();
    for chart in ["comparison", "herd"] {
        let svg = read(dir.path(), &format!("charts/{chart}.svg"));
        assert!(bars(&svg, BAR) > 0 && svg.contains("no ledger: origin reads are not known"), "{chart}");
    }
}

#[test]
fn same_records_same_bytes() {
    let bytes = |dir: &Path| -> BTreeMap<String, Vec<u8>> {
        let files = render(dir).unwrap().files;
        files
            .iter()
            .map(|file| (file.strip_prefix(dir).unwrap().display().to_string(), fs::read(file).unwrap()))
            .collect()
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plan = Plan { duration_s: 3, ..small() };
    write(&plan, one.path());
    write(&plan, two.path());
    let first = bytes(one.path());
    assert_eq!(first, bytes(two.path()));
    assert_eq!(first, bytes(one.path()), "and over itself");
}

#[test]
fn pngs_decode_and_are_not_blank() {
    let dir = tempfile::tempdir().unwrap();
    write(&bulk_warm(), dir.path());
    let rendered = render(dir.path()).unwrap();
    let pngs: Vec<_> =
        rendered.files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "png")).collect();
    assert_eq!(pngs.len(), 5);
    for path in pngs {
        let mut reader = png::Decoder::new(fs::File::open(path).unwrap()).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.color_type), (1920, png::ColorType::Rgb));
        let ink = pixels.chunks(3).filter(|pixel| *pixel != [255, 255, 255]).count();
        assert!(ink > 5_000 && ink < pixels.len() / 3 / 2, "{}: {ink} pixels of ink", path.display());
    }
    let herd = read(dir.path(), "charts/herd.svg");
    assert!(herd.contains("zero is the first expiry of any key, 5.00 s into the run"));
}

#[test]
fn where_the_hot_key_never_expires_the_chart_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = vec![shape(Kind::Naive, "naive", "plain"), shape(Kind::Early, "xfetch", "xfetch(beta=1)")];
    write(&Plan { shapes, ..hotkey(30) }, dir.path());
    render(dir.path()).unwrap();
    let herd = read(dir.path(), "charts/herd.svg");
    assert!(herd.contains(" expiries: ") && herd.contains("never seen to expire, so zero is the first read"), "{herd}");
}

#[test]
fn an_invalid_run_glares_and_hostile_names_stay_text() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan { duration_s: 6, ..small() };
    let mut run = write(&plan, dir.path());
    let hostile = "<img src=x onerror=alert(1)>\"'&\u{0}\u{202e}";
    run.strategies[0].name = hostile.into();
    run.strategies[0].spec = hostile.into();
    run.strategies[0].valid = false;
    run.strategies[0].invalid_because = vec![hostile.into()];
    for text in [
        &mut run.scenario,
        &mut run.summary,
        &mut run.command,
        &mut run.cache,
        &mut run.plan_hash,
        &mut run.environment.os,
    ] {
        *text = format!("{hostile}</style></svg>");
    }
    let folder = RunFolder::at(dir.path());
    folder.write_run(&run).unwrap();
    let mut events = folder.strategy("naive").unwrap().read_events().unwrap();
    events.push(report::record::EventRow {
        t_ns: 2_000_000_000,
        event: "fault".into(),
        detail: Some(hostile.into()),
        ..Default::default()
    });
    folder.strategy("naive").unwrap().write_events(&events).unwrap();
    for file in
        render(dir.path()).unwrap().files.iter().filter(|file| file.extension().is_some_and(|ending| ending != "png"))
    {
        let text = fs::read_to_string(file).unwrap();
        // In the summary's fenced code block the command stands as it is; Markdown takes it for text there.
        let text = text.split("This run again:\n\n```").next().unwrap();
        assert!(!text.contains("<img") && !text.contains('\u{0}') && !text.contains('\u{202e}'), "{}", file.display());
    }
    let naive = read(dir.path(), "charts/naive.svg");
    assert!(naive.contains("INVALID – do not use these numbers") && naive.contains(FAULT));
    assert_eq!(bars(&naive, BAR), 0);
    assert!(bars(&naive, INVALID_BAR) > 0);
}

#[test]
fn nothing_recorded_and_files_missing_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = write(&Plan { duration_s: 0, warmup_s: 0, ..small() }, dir.path());
    let folder = RunFolder::at(dir.path());
    fs::remove_dir_all(folder.strategy("jitter").unwrap().path()).unwrap();
    render(dir.path()).unwrap();
    assert!(read(dir.path(), "charts/naive.svg").contains("no read reached the origin"));
    assert!(read(dir.path(), "charts/jitter.svg").contains("no seconds.csv"));
    run.strategies.clear();
    folder.write_run(&run).unwrap();
    render(dir.path()).unwrap();
    // As long as a record may say that it was.
    run.duration_s = 1e9;
    run.warmup_s = 1e9;
    folder.write_run(&run).unwrap();
    render(dir.path()).unwrap();
    run.duration_s = -1.0;
    assert!(folder.write_run(&run).unwrap_err().to_string().contains("duration_s: found -1e0, allowed 0 to 1e9"));
}

#[test]
fn a_strategy_may_be_called_like_a_chart() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = write(&Plan { duration_s: 2, ..small() }, dir.path());
    run.strategies[0].folder = "comparison".into();
    RunFolder::at(dir.path()).write_run(&run).unwrap();
    let files = render(dir.path()).unwrap().files;
    let mut names = files.clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), files.len());
}
