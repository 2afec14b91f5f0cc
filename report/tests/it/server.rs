//! What the cache's server did of its own: its rows survive a file, and a sentence is said only where the figures carry it.

use report::record::{MarkFigures, Run, ServerFigures, ServerRow};
use report::{RunFolder, parse_run, verdict_table};

fn run_with(of: &str, slowest: u64, near: f64, chance: f64) -> Run {
    let mut run = parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap();
    let mark =
        MarkFigures { count: 2, slowest_near_share: Some(near), near_share: Some(0.01), near_by_chance: Some(chance) };
    let by_mark = [(of.to_owned(), mark)].into();
    let naive = run.strategies.iter_mut().find(|strategy| strategy.name == "naive").unwrap();
    naive.valid = true;
    naive.invalid_because.clear();
    naive.server = Some(ServerFigures { slowest: Some(slowest), by_mark, ..ServerFigures::default() });
    run
}

#[test]
fn slow_requests_near_a_mark_are_told_where_that_is_more_than_chance() {
    let said_of = |mark, slowest, near, time| verdict_table(&run_with(mark, slowest, near, time)).replace("\n  ", " ");
    let said = |slowest, near, time| said_of("fork", slowest, near, time);
    let of = "The slowest 0.1 % came with the server's own doings: ";
    let told = said(100, 0.5, 0.05);
    assert!(told.contains(&format!("{of}naive (50.0% of them near fork, 5.0% by chance).")), "{told}");
    for (slowest, near, time, why) in [
        (19, 0.9, 0.05, "too few"),
        (100, 0.09, 0.05, "less than twice as many"),
        (20, 0.1, 0.04, "two of twenty where nearly one is expected"),
        (100, 1.0, 0.9, "the marks cover nearly everything"),
    ] {
        assert!(!said(slowest, near, time).contains(of), "{why}");
    }
    assert!(said_of("evictions", 100, 0.5, 0.05).contains(of));
    assert!(!said_of("expiries", 100, 0.5, 0.05).contains(of), "a request whose entry has ended waits for the origin");
}

#[test]
fn the_rows_of_a_server_survive_their_file_and_a_wrong_number_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let files = RunFolder::at(dir.path()).strategy("naive").unwrap();
    assert_eq!(files.read_server().unwrap(), [], "no file, no rows");
    let known = ServerRow {
        t_ns: -5,
        used_bytes: Some(1 << 20),
        keys: 7,
        forks: Some(1),
        fork_ms: Some(0.75),
        rewriting: 1,
        marks: "fork latency:fork=41".into(),
        ..ServerRow::default()
    };
    let rows = [known, ServerRow { t_ns: 100, ..ServerRow::default() }];
    files.write_server(&rows).unwrap();
    assert_eq!(files.read_server().unwrap(), rows);
    let path = dir.path().join("naive/cache.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\n100,", "\n-1e400,")).unwrap();
    let said = files.read_server().unwrap_err().to_string();
    assert!(said.contains("cache.csv") && said.contains("t_ns"), "{said}");
}
