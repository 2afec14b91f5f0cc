//! Sweeps' charts from made-up records: the right marks for what is known, what is not, what is best, and what misses.

use crate::support::sweep::{one_knob, two_knobs};
use report::sweep::{SweepFolder, figure_text, render_sweep};

const BEST: &str = "fill=\"#D55E00\"";
const MISSES: &str = "fill=\"#8E2F7D\"";

fn drawn(sweep: &report::sweep::Sweep, chart: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let folder = SweepFolder::at(dir.path());
    folder.write(sweep).unwrap();
    assert_eq!(folder.read().unwrap(), *sweep, "it survives a round trip");
    let rendered = render_sweep(dir.path()).unwrap();
    assert!(rendered.files.iter().all(|file| file.is_file()));
    let svg = std::fs::read_to_string(dir.path().join(format!("charts/{chart}.svg"))).unwrap();
    render_sweep(dir.path()).unwrap();
    let again = std::fs::read_to_string(dir.path().join(format!("charts/{chart}.svg"))).unwrap();
    assert_eq!(svg, again, "same record, same bytes");
    assert!(!svg.contains("href") && !svg.contains("<script"));
    svg
}

#[test]
fn two_knobs_make_a_heat_map_a_strategy() {
    let sweep = two_knobs();
    let svg = drawn(&sweep, "heatmap-xfetch-stale-1s");
    for words in [
        "xfetch(stale=1s) by xfetch.beta and cache.ttl",
        "misses the goal",
        "best by the goal",
        "INVALID",
        "5 seeds from 42",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    // Frames have four sides and a label of the legend has none; two settings of this strategy miss the goal in each panel,
    // one is invalid and one unknown.
    let panels = sweep.charted.len();
    let rects = svg.lines().filter(|line| line.starts_with("<rect") && line.contains(BEST)).count();
    assert_eq!((rects, svg.matches(MISSES).count()), (4 * (1 + panels), 1 + 2 * panels + 2));
    let other = drawn(&sweep, "heatmap-swr-lock");
    assert!(other.contains("the best by the goal is another strategy") && !other.contains(BEST));
    assert!(other.contains("everywhere"), "a figure that is the same everywhere has no scale");

    // Of several that are equally good none is the best.
    let mut equal = sweep;
    let metric = equal.goal.as_ref().unwrap().metric.clone();
    let (first, second) = (equal.ranking[0].point, equal.ranking[1].point);
    assert!(equal.ranking[1].meets && equal.equally_best() == 1);
    let best = equal.points[first].figures[&metric];
    equal.points[second].figures.insert(metric, best);
    let svg = drawn(&equal, "heatmap-xfetch-stale-1s");
    assert!(svg.contains("settings are equally best: none is framed") && !svg.contains(BEST));
}

#[test]
fn one_knob_makes_curves_with_bands() {
    let mut sweep = one_knob();
    let svg = drawn(&sweep, "curves");
    for words in [
        "hotkey: what cache.ttl does",
        "line: mean over 5 seeds",
        "dashed: a limit of the goal",
        "invalid",
        "cache.ttl, s",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    // Three in each of the first two panels, where naive's is torn in two; one where nothing is known of naive.
    assert_eq!(svg.matches("opacity=\"0.18\"").count(), 3 + 3 + 1);
    sweep.seeds.truncate(1);
    sweep.points.iter_mut().for_each(|point| point.runs = 1);
    sweep.knobs[0].unit = None;
    let svg = drawn(&sweep, "curves");
    assert!(svg.contains("one seed: how far chance alone moves a line is not known"));
}

#[test]
fn three_knobs_have_no_picture_and_hostile_names_do_no_harm() {
    let mut sweep = two_knobs();
    let dir = tempfile::tempdir().unwrap();
    let folder = SweepFolder::at(dir.path());
    sweep.knobs[0].name = "<script>alert(1)</script>".into();
    sweep.points.iter_mut().for_each(|point| point.strategy = "../../etc/passwd\u{1b}[31m".into());
    folder.write(&sweep).unwrap();
    let files = render_sweep(dir.path()).unwrap().files;
    let names: Vec<&str> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    assert_eq!(names, ["heatmap-..-..-etc-passwd-31m.svg", "heatmap-..-..-etc-passwd-31m.png"]);
    let svg = std::fs::read_to_string(&files[0]).unwrap();
    assert!(!svg.contains("<script>") && !svg.contains('\u{1b}'));
    sweep.knobs.push(sweep.knobs[1].clone());
    sweep.points.iter_mut().for_each(|point| point.values.push("2s".into()));
    folder.write(&sweep).unwrap();
    assert!(render_sweep(dir.path()).unwrap().files.is_empty());
}

#[test]
fn a_record_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = SweepFolder::at(dir.path());
    let good = two_knobs();
    folder.write(&good).unwrap();
    let text = std::fs::read_to_string(dir.path().join("sweep.json")).unwrap();
    let check = |text: &str, words: &str| {
        std::fs::write(dir.path().join("sweep.json"), text).unwrap();
        let said = render_sweep(dir.path()).unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("sweep.json"), "{words:?} in {said}");
    };
    check(&text[..500], "ends early at byte 500");
    check(&text.replace("sweep/v1", "sweep/v2"), "is newer than this build");
    check(&text.replacen("\"point\": 1", "\"point\": 1000", 1), "its ranking names point 1000");
    check("{\"schema\": \"stampede.run/v1\"}", "this is no sweep's record");
    let mut odd = good;
    odd.points[0].values.pop();
    let said = folder.write(&odd).unwrap_err().to_string();
    assert!(said.contains("has no value of some knob"), "{said}");
}

#[test]
fn figures_are_said_in_their_units() {
    for (metric, value, text) in [
        ("origin.total", 111.0, "111"),
        ("origin.total", 111.25, "111.2"),
        ("origin.total", 23_456.5, "23456"),
        ("stale.share", 0.0123, "1.2%"),
        ("stale.share", 0.0001, "<0.1%"),
        ("hit_ratio", 1.0, "100.0%"),
        ("latency_ms.p99", 0.4, "0.40"),
        ("latency_ms.p99", 201.3, "201"),
        ("cache_ops_per_request", 1.0278, "1.028"),
    ] {
        assert_eq!(figure_text(metric, value), text, "{metric} {value}");
    }
}
