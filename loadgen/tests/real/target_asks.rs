//! How a target is asked, and what it says of itself: headers and their secrets, HEAD, TLS, headers with a word, the first question.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use app::testing::free_port;

use crate::common::{Said, beside, each, loadgen, only_run, record, run, strategy};
use crate::nginx_varnish::{Server, enterable, guarded, nginx_over_tls, program};
use report::record::Run;

/// A server that answers each request with this, keeps the connection, and what it was asked.
fn answers(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                let (mut text, mut byte) = (Vec::new(), [0]);
                while stream.read(&mut byte).is_ok_and(|read| read > 0) {
                    text.push(byte[0]);
                    if text.ends_with(b"\r\n\r\n") {
                        seen.lock().unwrap().push(String::from_utf8(std::mem::take(&mut text)).unwrap());
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (address, heads)
}

const LOAD: [&str; 11] =
    ["--scenario", "hotkey", "--set", "load.think=20ms", "-w", "0s", "-d", "1s", "-c", "2", "--target"];

/// A short load at a target: two clients, a second.
fn drive(target: &str, more: &[&str]) -> (Said, Run) {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&LOAD[..], &[target, "-o", results.path().to_str().unwrap()], more].concat());
    (said, record(&only_run(results.path())))
}

#[test]
fn headers_are_sent_with_each_request_and_their_values_are_nowhere_else() {
    let (address, heads) = answers("HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\ncontent-length: 2\r\n\r\nok");
    let (scratch, results) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = scratch.path().join("headers");
    std::fs::write(&file, "Authorization: Bearer SECRET-1\n").unwrap();
    let (url, file) = (format!("http://{address}/{{key}}"), format!("@{}", file.display()));
    let more =
        ["--header", &file, "--header", "X-Plain: SECRET-2", "--header=Host: shop.example", "--target-name", "shop"];
    let _beside = beside();
    let mut command = loadgen(&[&LOAD[..], &[&url, "-o", results.path().to_str().unwrap()], &more].concat());
    let said: Said = command.env("LAB_TARGET_HEADERS", "X-Of-Env: SECRET-3\n").output().unwrap().into();
    assert_eq!(said.code, Some(0), "{}", said.err);
    let path = only_run(results.path());
    let run = record(&path);
    let shop = strategy(&run, "shop");
    assert!(shop.outcomes.hit == shop.requests && path.join("shop/seconds.csv").exists());
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len() as u64, shop.requests + 1, "and the question");
    for head in heads.iter().map(|head| head.to_lowercase()) {
        for line in ["authorization: bearer secret-1", "x-plain: secret-2", "x-of-env: secret-3", "host: shop.example"]
        {
            assert!(head.contains(&format!("{line}\r\n")), "{line} is not in {head}");
        }
        assert_eq!(head.matches("host:").count(), 1, "{head}");
    }
    let mut files = vec![path];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(std::fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(6).any(|found| found == b"SECRET"), "{}", file.display());
        }
    }
    assert!(!said.out.contains("SECRET") && !said.err.contains("SECRET"), "{} {}", said.out, said.err);
    assert!(run.command.contains("'X-Plain: …'"), "{}", run.command);
}

#[test]
fn a_word_in_a_header_is_an_outcome_and_an_unknown_one_is_told() {
    let cases = [
        ("X-Cache-Status: UPDATING", "X-Cache-Status", "stale by the word of x-cache-status"),
        ("CF-Cache-Status: HIT", "cf-cache-status", "hit by the word of cf-cache-status"),
        ("X-Cache: MISS, MISS", "X-Cache", "load by the word of x-cache"),
        ("X-Varnish: 32772 32770", "X-Varnish", "hit by the word of x-varnish"),
        ("X-Cache: PERHAPS", "X-Cache", "how it was made is not known"),
    ];
    each(cases, |(line, header, told)| {
        let answer = format!("HTTP/1.1 200 OK\r\n{line}\r\ncontent-length: 2\r\n\r\nok");
        let (address, _) = answers(answer.leak());
        let (said, run) = drive(&format!("http://{address}/{{key}}"), &["--outcome-header", header]);
        assert!(said.err.contains(&format!("200, {told}, 2 bytes, HTTP/1.1, ")), "{line}: {}", said.err);
        let target = strategy(&run, "target");
        let [stale, hit, load, unknown] =
            [target.outcomes.stale, target.outcomes.hit, target.outcomes.load, target.outcomes.unknown];
        let counted = match told.split(' ').next().unwrap() {
            "stale" => stale,
            "hit" => hit,
            "load" => load,
            _ => unknown,
        };
        // A word that a cache has none for does not say that nothing was stale, and no word says how old an answer was.
        let share = match header {
            "X-Cache-Status" => Some(1.0),
            "cf-cache-status" => Some(0.0),
            _ => None,
        };
        assert_eq!((target.stale.share, target.stale.overage_ms_max), (share, None), "{line}");
        assert!(target.requests > 20 && counted == target.requests, "{line}: {:?}", target.outcomes);
        let warned = said.err.contains("unknown words, each counted") && said.err.contains("\"PERHAPS\"");
        assert_eq!(warned, line.ends_with("PERHAPS"), "{}", said.err);
    });
}

#[test]
fn the_first_question_warns_where_no_outcome_can_be_known_and_names_the_header_that_may_tell() {
    let (address, _) = answers("HTTP/1.1 200 OK\r\nX-Cache: HIT\r\ncontent-length: 2\r\n\r\nok");
    let (said, _) = drive(&format!("http://{address}/{{key}}"), &[]);
    assert!(said.err.contains("warning: how an answer was made is not known"), "{}", said.err);
    assert!(said.err.contains("add --outcome-header x-cache"), "{}", said.err);
    let (address, _) = answers("HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\ncontent-length: 2\r\n\r\nok");
    let (said, _) = drive(&format!("http://{address}/{{key}}"), &[]);
    assert!(said.err.contains("200, hit by the word of c") && !said.err.contains("warning"), "{}", said.err);
}

#[test]
fn heads_are_asked_for_and_a_bound_that_is_missed_ends_with_its_exit_code() {
    let (address, heads) = answers("HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\ncontent-length: 5000\r\n\r\n");
    let url = format!("http://{address}/{{key}}");
    let (said, run) = drive(&url, &["--method", "HEAD", "--assert", "hit_ratio >= 1", "--assert", "errors <= 0"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(heads.lock().unwrap().iter().all(|head| head.starts_with("HEAD /")));
    assert!(said.out.contains("2 thresholds met, 0 missed"), "{}", said.out);
    assert_eq!(strategy(&run, "target").errors, 0);
    // What is not known is not met: there is no ledger.
    let (said, run) = drive(&url, &["--method", "head", "--assert", "origin.per_expiry.max <= 1"]);
    assert_eq!(said.code, Some(99), "{}", said.err);
    assert_eq!((run.verdicts[0].measured, run.verdicts[0].met), (None, false));
    assert_eq!(run.verdicts[0].metric, "origin.per_expiry.max");
}

/// nginx with a certificate of an authority of the test's own, and its own word for how it answered.
#[test]
fn a_target_over_tls_is_asked_and_its_certificate_is_checked() {
    let (scratch, port) = (enterable(), free_port());
    let Some((_server, certificates)) = nginx_over_tls(scratch.path(), port) else { return };
    let [ca, other] = ["ca.crt", "other.crt"].map(|name| certificates.file(name).display().to_string());
    let url = format!("https://127.0.0.1:{port}/{{key}}");
    for trust in [&["--target-ca", &ca][..], &["--target-insecure"]] {
        let (said, run) = drive(&url, &[trust, &["--outcome-header", "X-Cache"]].concat());
        let target = strategy(&run, "target");
        assert_eq!((said.code, target.errors, target.outcomes.hit), (Some(0), 0, target.requests), "{}", said.err);
        assert!(said.err.contains("HTTP/1.1 over TLS"), "{}", said.err);
    }
    for (more, why) in [
        (&["--target-ca", &other][..], "the server's certificate is by no trusted authority"),
        (&[], "the server's certificate is by no trusted authority"),
    ] {
        let results = tempfile::tempdir().unwrap();
        let said = run(&[&LOAD[..], &[&url, "-o", results.path().to_str().unwrap()], more].concat());
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.contains("found connect-handshake: no TLS") && said.err.contains(why), "{}", said.err);
    }
}

/// Varnish with the header that its VCL usually writes, and its own X-Varnish: both say what its origin saw.
#[test]
fn varnish_by_its_own_headers_is_what_its_origin_saw() {
    let Some(varnishd) = program("varnish", "varnishd") else { return };
    let (origin, heads) = answers("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let (scratch, port) = (enterable(), free_port());
    let vcl = format!(
        "vcl 4.1;\nbackend origin {{ .host = \"127.0.0.1\"; .port = \"{}\"; }}\nsub vcl_backend_response {{ set beresp.ttl = 60s; }}\n\
         sub vcl_deliver {{ if (obj.hits > 0) {{ set resp.http.X-Cache = \"HIT\"; }} else {{ set resp.http.X-Cache = \"MISS\"; }} }}\n",
        origin.port()
    );
    let file = scratch.path().join("x.vcl");
    std::fs::write(&file, vcl).unwrap();
    let mut command = guarded(&varnishd);
    command.args(["-F", "-j", "none", "-s", "malloc,64m", "-a", &format!("127.0.0.1:{port}")]);
    command.arg("-n").arg(scratch.path().join("varnish")).arg("-f").arg(file);
    let _server = Server::start(&mut command, &scratch.path().join("log"), port);
    for header in ["X-Cache", "X-Varnish"] {
        heads.lock().unwrap().clear();
        let url = format!("http://127.0.0.1:{port}/{header}/{{key}}");
        let (said, run) = drive(&url, &["--outcome-header", header]);
        let outcomes = &strategy(&run, "target").outcomes;
        // All but the question, which was for an item that the load does not ask for.
        let fetched = heads.lock().unwrap().len() as u64 - 1;
        assert_eq!((outcomes.load, outcomes.unknown), (fetched, 0), "{header}: {outcomes:?} {}", said.err);
        assert!(outcomes.hit > 20 && fetched > 0, "{header}: {outcomes:?}");
    }
}
