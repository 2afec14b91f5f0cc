//! `--live`: what the page is told while a run goes on is what the record says afterwards, nobody but this machine is answered,
//! and a viewer neither keeps the process alive nor disturbs it.

#[path = "../../../report/tests/it/support/browser.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "report's, and shared"
)]
mod browser;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use crate::common::{loadgen, record, run, unspoiled};
use browser::Browser;
use serde_json::Value;

const SHORT: &str =
    "--scenario hotkey --lab local --cache memory -w 1s -d 5s --set cache.ttl=2s --strategy naive,swr --live";

/// The first line that a run says: where its page is.
fn address(stderr: &mut BufReader<ChildStderr>) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("live     http://").and_then(|rest| rest.strip_suffix('/'));
    address.unwrap_or_else(|| panic!("{line}")).to_owned()
}

fn get(address: &str, path: &str, host: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn begin(results: &std::path::Path) -> (Child, BufReader<ChildStderr>) {
    // Any loopback address is this machine's alone, and answers to itself.
    let args: Vec<&str> = SHORT.split(' ').chain(["127.0.0.2:0", "-o", results.to_str().unwrap()]).collect();
    let mut child = loadgen(&args).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

#[test]
fn the_page_is_told_what_the_record_says_and_keeps_nothing_alive() {
    let dir = tempfile::tempdir().unwrap();
    let ((code, said, news), path) = unspoiled(dir.path(), watched);
    assert_eq!(code, Some(0), "{said}");
    let record = record(&path);
    let kinds = |kind: &str| news.iter().filter(|one| one["kind"] == kind).collect::<Vec<_>>();
    assert_eq!((news[0]["kind"].as_str(), news[0]["runs"].as_u64()), (Some("run"), Some(2)));
    assert_eq!(news.last().unwrap()["kind"], "over");
    let begun: Vec<&str> = kinds("begin").iter().map(|one| one["strategy"].as_str().unwrap()).collect();
    assert_eq!(begun, ["naive", "swr"]);
    for (end, strategy) in kinds("end").iter().zip(&record.strategies) {
        let origin = crate::common::origin_of(strategy);
        assert_eq!(end["total"], origin.total);
        assert_eq!(end["floor"].as_u64(), origin.floor);
        assert_eq!(end["p99_ms"].as_f64(), strategy.latency_ms.p99);
    }
    let parts = news.split(|one| one["kind"] == "begin").skip(1).zip(&record.strategies);
    for (part, strategy) in parts {
        let measured = |kind: &str, field: &str| -> Vec<u64> {
            // Requests that end late are looked at beyond the measured 5 s, too.
            let of = part.iter().filter(|one| one["kind"] == kind && (0..5).contains(&one["t"].as_i64().unwrap()));
            of.map(|one| one[field].as_u64().unwrap()).collect()
        };
        assert_eq!(measured("second", "sent").iter().sum::<u64>(), strategy.requests);
        assert_eq!(Some(measured("second", "floor").iter().sum()), crate::common::origin_of(strategy).floor);
        // The last second is not over when the load ends; who looks ten times a second is a tenth late.
        let (seen, all) = (measured("origin", "reads"), crate::common::origin_of(strategy).total);
        assert!(seen.len() >= 4 && seen.iter().sum::<u64>() <= all + 2, "{seen:?} of {all}");
        assert!(seen.iter().any(|reads| *reads > 0), "{seen:?}");
    }
}

/// A run whose page is looked at: how it ended, what it said, and what the page was told.
fn watched(results: &std::path::Path) -> (Option<i32>, String, Vec<Value>) {
    let (mut child, mut stderr) = begin(results);
    let address = address(&mut stderr);
    // It looks, and never reads: its buffers fill, and nothing waits for it.
    let _idle = get(&address, "/events", &address);
    let mut page = String::new();
    get(&address, "/", &address).read_to_string(&mut page).unwrap();
    for words in ["200 OK", "content-security-policy: default-src 'none'", "new EventSource(\"/events\")"] {
        assert!(page.contains(words), "{words:?} in {page}");
    }
    let mut refused = String::new();
    get(&address, "/events", "evil.example").read_to_string(&mut refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 421"), "{refused}");

    let news: Vec<Value> = get(&address, "/events", "localhost")
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said, news)
}

/// The page in a real Chromium, from the warm-up of the first strategy to the end of the last.
#[test]
fn the_page_draws_each_strategy_and_ends_with_the_records_figures() {
    let mut first = Browser::open();
    if first.is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let begun = |results: &std::path::Path| drawn(results, first.take().or_else(Browser::open).unwrap());
    let ((code, mut browser, address), path) = unspoiled(dir.path(), begun);
    assert_eq!(code, Some(0));
    let record = record(&path);
    for (at, strategy) in record.strategies.iter().enumerate() {
        let cell = |column| format!("document.querySelectorAll('#done tr')[{at}].children[{column}].textContent");
        let origin = crate::common::origin_of(strategy);
        assert_eq!(browser.text(&cell(0)), strategy.name);
        assert_eq!(browser.text(&cell(1)), origin.total.to_string());
        assert_eq!(browser.text(&cell(3)), origin.max_per_second.to_string());
    }
    assert_eq!(browser.eval("document.querySelectorAll('#latency .series').length"), 2);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    let asked: Vec<&str> = browser.requests.iter().filter_map(|url| url.strip_prefix("http://")).collect();
    assert_eq!(asked, [format!("{address}/"), format!("{address}/events")]);
}

/// A run whose page is drawn to the end.
fn drawn(results: &std::path::Path, mut browser: Browser) -> (Option<i32>, Browser, String) {
    let (mut child, mut stderr) = begin(results);
    let address = address(&mut stderr);
    browser.look_like(1280, "light");
    browser.goto_url(&format!("http://{address}/"));
    let until = |what: &str| {
        format!("new Promise(done => {{ const look = () => {what} ? done(0) : setTimeout(look, 20); look(); }})")
    };
    browser.eval(&until("series.length === 2 && current.origin.size > 3"));
    assert_eq!(browser.text("document.querySelector('#who b').textContent"), "swr");
    assert_eq!(browser.eval("document.querySelectorAll('#origin .past').length"), 1, "naive, and paler");
    let shots = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("live");
    browser.screenshot(&shots.join("1280-light.png"));
    browser.look_like(390, "dark");
    browser.screenshot(&shots.join("390-dark.png"));
    let wide = browser.eval("document.documentElement.scrollWidth > document.documentElement.clientWidth");
    assert_eq!(wide, false, "a phone need not scroll sideways");
    browser.eval(&until("over"));
    (child.wait().unwrap().code(), browser, address)
}

#[test]
fn an_address_that_others_reach_is_refused() {
    for (address, words) in [
        ("0.0.0.0:0", "the live page is for this machine alone · --live 0.0.0.0:0"),
        ("192.0.2.1:80", "allowed a loopback address"),
        ("127.0.0.1", "invalid socket address"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let said =
            run(&["--scenario", "hotkey", "--lab", "sim", "--live", address, "-o", dir.path().to_str().unwrap()]);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = run(&["--scenario", "hotkey", "--lab", "sim", "--live", &address]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("cannot listen · --live") && said.err.contains("choose another port"), "{}", said.err);
}
