//! `--otlp`: a run's spans as a collector gets them, held to the run's records.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use report::RunFolder;
use serde_json::Value;

use crate::common::run;

const HOTKEY: [&str; 11] =
    ["--scenario", "hotkey", "--lab", "sim", "-w", "1s", "-d", "10s", "--quiet", "--strategy", "naive,singleflight"];

/// A collector that keeps what it gets, and answers each request with `answer`.
fn collector(answer: &'static str) -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (got, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let got = got.clone();
            std::thread::spawn(move || serve(stream.unwrap(), answer, &got));
        }
    });
    (address, requests)
}

fn serve(stream: TcpStream, answer: &str, got: &Sender<Value>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut length, mut line) = (0, String::new());
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        assert!(line.starts_with("POST /v1/traces HTTP/1.1"), "{line}");
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some((_, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let _ = got.send(serde_json::from_slice(&body).unwrap());
        (&stream).write_all(answer.as_bytes()).unwrap();
    }
}

const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
const REJECTED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"7\",\"errorMessage\":\"too old\"}}";
const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

fn attribute<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    let attributes = of["attributes"].as_array().unwrap();
    attributes.iter().find(|a| a["key"] == key).and_then(|a| a["value"]["stringValue"].as_str())
}

/// Every flight and every origin read of the records is a span, of its own process, in its flight's trace, as long as it took.
#[test]
fn the_spans_are_the_records() {
    let (address, requests) = collector(TAKEN);
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{address}/");
    let said = run(&[&HOTKEY[..], &["--otlp", &url, "-o", dir.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let mut spans: BTreeMap<&str, Vec<(i128, i128)>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let (mut flights, mut parents) = (BTreeSet::new(), BTreeSet::new());
    for request in requests.try_iter() {
        let mut of_request = 0;
        for resource in request["resourceSpans"].as_array().unwrap() {
            let service = attribute(&resource["resource"], "service.name").unwrap().to_owned();
            for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
                of_request += 1;
                let text = |field: &str| span[field].as_str().unwrap().to_owned();
                let at = |field: &str| text(field).parse::<i128>().unwrap();
                let (trace, id) = (text("traceId"), text("spanId"));
                assert_eq!((trace.len(), id.len()), (32, 16));
                assert!(ids.insert((trace.clone(), id.clone())), "two spans of one name");
                let name = match span["name"].as_str().unwrap() {
                    "flight" => {
                        assert_eq!(service, "replica");
                        flights.insert((trace, id));
                        "flight"
                    }
                    "origin read" => {
                        assert_eq!(service, "origin");
                        parents.insert((trace, text("parentSpanId")));
                        "origin read"
                    }
                    other => panic!("{other}"),
                };
                let (from, to) = (at("startTimeUnixNano"), at("endTimeUnixNano"));
                spans.entry(name).or_default().push((from, to - from));
            }
        }
        assert!(of_request <= 512, "{of_request} spans in one request");
    }
    assert!(parents.is_subset(&flights), "an origin read without its flight");
    let folder = RunFolder::at(std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path());
    let record = folder.read_run().unwrap();
    let began: jiff::Timestamp = record.started_at.parse().unwrap();
    let zero_ns = began.as_nanosecond() + 1_000_000_000;
    let (mut reads, mut led) = (Vec::new(), 0);
    for strategy in &record.strategies {
        let files = folder.strategy(&strategy.folder).unwrap();
        let rows = files.read_origin().unwrap().into_iter();
        reads.extend(
            rows.map(|row| (zero_ns + i128::from(row.arrived_ns), i128::from(row.end_ns.unwrap() - row.arrived_ns))),
        );
        files.each_event(&mut |event| led += usize::from(event.event == "flight-led")).unwrap();
    }
    let sorted = |mut of: Vec<(i128, i128)>| {
        of.sort_unstable();
        of
    };
    assert!(reads.len() > 100, "{}", reads.len());
    assert_eq!(sorted(spans.remove("origin read").unwrap()), sorted(reads));
    assert_eq!(spans.remove("flight").unwrap().len(), led);
}

/// What becomes of the spans is told, and the run is there all the same.
#[test]
fn a_collector_that_does_not_take_them_is_told_and_the_run_stays() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, words) in [
        (format!("http://{}", collector(REJECTED).0), "it rejected 7 of"),
        (format!("http://{}", collector(BUSY).0), "HTTP 503"),
        (format!("http://{gone}"), "it takes no connection"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let said = run(&[&HOTKEY[..], &["--otlp", &url, "-o", dir.path().to_str().unwrap()]].concat());
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(
            said.err.contains("the collector does not take the run's spans") && said.err.contains(words),
            "{}",
            said.err
        );
        let folder = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        assert!(RunFolder::at(&folder).read_run().unwrap().complete && folder.join("report.html").exists());
    }
}

#[test]
fn what_is_no_address_of_a_collector_is_refused_before_the_run() {
    for (args, words) in [
        (&["--otlp", "127.0.0.1:4318"][..], "not a collector's address"),
        (&["--otlp", "https://127.0.0.1:4318"], "allowed http://HOST:PORT"),
        (&["--otlp", "http://me:SECRET@host:4318"], "http://…@host:4318"),
        (&["--otlp", "http://"], "not a collector's address"),
        (&["--otlp", "http://127.0.0.1:4318", "--shard", "0/2"], "--shard"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let said = run(&[&HOTKEY[..], args, &["-o", dir.path().to_str().unwrap()]].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words) && !said.err.contains("SECRET"), "{words:?} in {}", said.err);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
    }
    let said = run(&["sweep", "--scenario", "hotkey", "--vary", "cache.ttl=1s,2s", "--otlp", "http://127.0.0.1:4318"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("spans of what is no single run"), "{}", said.err);
}
