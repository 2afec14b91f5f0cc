//! `loadgen proxy-origin` in front of a service of somebody's own, behind a real cache: the herd is found, and the ledger is as true as the
//! service's own count.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::testing::free_port;

use crate::common::{folder, loadgen, origin_of, record, run, signal, strategy, unspoiled};
use crate::nginx_varnish::{Server, enterable, guarded, nginx_over_tls, program};

/// A service of one's own: 100 ms a read, and it counts them by path.
fn service() -> (SocketAddr, Arc<Mutex<BTreeMap<String, u64>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, counts) = (listener.local_addr().unwrap(), Arc::default());
    let counted = Arc::clone(&counts);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || serve(stream, &counted));
        }
    });
    (address, counts)
}

fn serve(mut stream: TcpStream, counted: &Mutex<BTreeMap<String, u64>>) {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|read| read > 0) {
        text.push(byte[0]);
        if !text.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8(std::mem::take(&mut text)).unwrap();
        let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
        *counted.lock().unwrap().entry(path).or_default() += 1;
        // What a read takes here.
        std::thread::sleep(Duration::from_millis(100));
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
            return;
        }
    }
}

/// The real program; asked to end, and waited for.
struct Proxy(Child);

impl Proxy {
    /// One that listens where it says so itself.
    fn start(upstream: SocketAddr, pattern: &str, token: &Path) -> (Self, String, String) {
        Self::of(&["--upstream", &format!("http://{upstream}"), "--key", pattern], token)
    }

    fn of(upstream: &[&str], token: &Path) -> (Self, String, String) {
        let args = ["proxy-origin", "--token-file", token.to_str().unwrap()];
        let ports = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        let mut child = loadgen(&[&args[..], &ports, upstream].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        let at = |before: &str| {
            let rest = line.split_once(before).unwrap_or_else(|| panic!("{line}")).1;
            rest.trim().split([' ', ';', '\n']).next().unwrap().to_owned()
        };
        let (data, control) = (at("passing on http://"), at("ledger at "));
        (Self(child), data, control)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        signal(&self.0, "TERM");
        let _ = self.0.wait();
    }
}

/// nginx with a cache and nothing against stampedes: a second of life, and its own word for how it answered.
fn nginx(scratch: &Path, origin: &str, port: u16) -> Option<Server> {
    let nginx = program("nginx", "nginx")?;
    let configuration = format!(
        "daemon off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path a;\n\
         proxy_temp_path b;\nfastcgi_temp_path c;\nuwsgi_temp_path d;\nscgi_temp_path e;\n\
         proxy_cache_path cache keys_zone=items:1m use_temp_path=off;\nproxy_cache items;\nproxy_cache_valid 200 1s;\n\
         add_header X-Cache-Status $upstream_cache_status;\n\
         server {{ listen 127.0.0.1:{port};\nlocation / {{ proxy_pass http://{origin}; }} }} }}\n"
    );
    let file = scratch.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let mut command = guarded(&nginx);
    command.arg("-p").arg(scratch).arg("-c").arg(file);
    Some(Server::start(&mut command, &scratch.join("log"), port))
}

/// A short run whose origin is counted by a proxy.
pub(crate) fn counted(results: &Path) {
    let scratch = enterable();
    let token = scratch.path().join("token");
    std::fs::write(&token, "a token for the tests only").unwrap();
    let (_proxy, data, control) = Proxy::start(service().0, "/items/{key}", &token);
    let url = format!("http://{data}/items/{{key}}");
    let load = ["--scenario", "hotkey", "-w", "0s", "-d", "1s", "-c", "4", "--quiet", "-o", results.to_str().unwrap()];
    let witness = ["--origin-control", &control, "--origin-token-file", token.to_str().unwrap()];
    run(&[&load[..], &["--target", &url], &witness].concat());
}

#[test]
fn a_herd_at_a_service_of_ones_own_is_found_and_the_ledger_is_the_services_own_count() {
    let (scratch, port) = (enterable(), free_port());
    let token = scratch.path().join("token");
    std::fs::write(&token, "a token for the tests only").unwrap();
    let (address, counts) = service();
    let (_proxy, data, control) = Proxy::start(address, "/items/{key}", &token);
    let Some(_nginx) = nginx(scratch.path(), &data, port) else { return };
    let witness = ["--origin-control", &control, "--origin-token-file", token.to_str().unwrap()];
    let (said, path) = unspoiled(&scratch.path().join("results"), |folder| {
        let (folder, query) = (folder.to_str().unwrap(), folder.file_name().unwrap().to_str().unwrap());
        let url = format!("http://127.0.0.1:{port}/items/{{key}}?{query}");
        counts.lock().unwrap().clear();
        let load = ["--scenario", "hotkey", "-w", "0s", "-d", "4s", "--set", "load.think=20ms", "-c", "20"];
        let asked = ["--target", &url, "--outcome-header", "X-Cache-Status", "-o", folder];
        run(&[&load[..], &asked, &witness, &["--assert", "origin.per_expiry.max <= 1"]].concat())
    });
    assert_eq!(said.code, Some(99), "{} {}", said.out, said.err);
    let run = record(&path);
    let target = strategy(&run, "target");
    let herds = origin_of(target).per_expiry.as_ref().unwrap();
    assert!(herds.max >= 8, "a herd of twenty clients: {herds:?}");
    assert_eq!(herds.fullest_replica, None, "nginx does not say whose a read is");
    assert_eq!((target.outcomes.unknown, target.errors), (0, 0), "{:?}", target.error_kinds);
    // Every read of the ledger is one that the service counted, item by item, and the other way round.
    let mut ledger: BTreeMap<String, u64> = BTreeMap::new();
    for read in folder(&path, "target").read_origin().unwrap() {
        assert_eq!((read.outcome.as_str(), read.start_ns), ("ok", None));
        *ledger.entry(format!("/items/{}", read.key)).or_default() += 1;
    }
    assert_eq!(ledger, *counts.lock().unwrap());
    // Its places and service time are its own, and nobody says otherwise.
    assert!(run.foreign_origin && said.err.contains("origin counted by a proxy"), "{}", said.err);
    assert!(!said.err.contains("places;"), "{}", said.err);
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert!(page.contains("its own origin, counted by a proxy") && !page.contains("a read ·"), "the page");
}

#[test]
fn keys_that_are_no_numbers_are_counted_and_the_hot_keys_reads_are_not_known() {
    let scratch = enterable();
    let token = scratch.path().join("token");
    std::fs::write(&token, "a token for the tests only").unwrap();
    let (address, counts) = service();
    let (_proxy, data, control) = Proxy::start(address, "^/items/(sku-[0-9]+)$", &token);
    let results = scratch.path().join("results");
    let url = format!("http://{data}/items/sku-{{key}}");
    let load = ["--scenario", "hotkey", "-w", "0s", "-d", "1s", "-c", "4", "--target", &url];
    let witness = ["--origin-control", &control, "--origin-token-file", token.to_str().unwrap()];
    let (_, path) = unspoiled(&results, |folder| {
        counts.lock().unwrap().clear();
        run(&[&load[..], &witness, &["-o", folder.to_str().unwrap()]].concat())
    });
    let run = record(&path);
    let target = strategy(&run, "target");
    let reads = folder(&path, "target").read_origin().unwrap();
    assert!(origin_of(target).total > 5 && reads.iter().all(|read| read.key.starts_with("sku-")));
    assert_eq!(reads.len() as u64, counts.lock().unwrap().values().sum::<u64>());
    assert!(origin_of(target).per_expiry.is_none());
    assert_eq!(target.hot.as_ref().unwrap().origin_total, None);
    // A scenario that wants something wrong with its origin is refused.
    let said = crate::common::run(
        &[&["--scenario", "origin-brownout", "--target", &url][..], &witness, &["-o", results.to_str().unwrap()]]
            .concat(),
    );
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("a counting proxy can't make happen"), "{}", said.err);
}

/// One whose certificate is by an authority that the proxy trusts; else it says why not, and the read has failed.
#[test]
fn an_origin_over_tls_is_counted_and_its_certificate_is_checked() {
    let (scratch, port) = (enterable(), free_port());
    let token = scratch.path().join("token");
    std::fs::write(&token, "a token for the tests only").unwrap();
    let Some((_server, certificates)) = nginx_over_tls(scratch.path(), port) else { return };
    let [ca, other] = ["ca.crt", "other.crt"].map(|name| certificates.file(name).display().to_string());
    let upstream = format!("https://127.0.0.1:{port}");
    let ask = |trust: &[&str]| {
        let (_proxy, data, _) = Proxy::of(&[&["--upstream", &upstream][..], trust].concat(), &token);
        let mut stream = TcpStream::connect(&data).unwrap();
        stream.write_all(b"GET /items/1 HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for trust in [&["--upstream-ca", &ca][..], &["--upstream-insecure"]] {
        let answer = ask(trust);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    }
    for trust in [&["--upstream-ca", &other][..], &[]] {
        let answer = ask(trust);
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
        assert!(answer.contains("the server's certificate is by no trusted authority"), "{answer}");
    }
}

#[test]
fn what_a_proxy_cannot_be_is_refused() {
    let scratch = enterable();
    let token = scratch.path().join("token");
    std::fs::write(&token, "a token for the tests only").unwrap();
    let token = token.to_str().unwrap();
    for (args, said_so) in [
        (&["--upstream", "ftp://127.0.0.1:1", "--token-file", token][..], "found no http://"),
        (&["--upstream", "http://127.0.0.1:1", "--upstream-insecure", "--token-file", token], "found http://"),
        (
            &["--upstream", "https://127.0.0.1:1", "--upstream-ca", "/no/such/file", "--token-file", token],
            "--upstream-ca",
        ),
        (&["--upstream", "http://127.0.0.1:1", "--key", "/items", "--token-file", token], "found 0 groups, needed one"),
        (&["--upstream", "http://127.0.0.1:1", "--key", "/(", "--token-file", token], "unclosed group"),
        (&["--upstream", "http://127.0.0.1:1", "--timeout", "0s", "--token-file", token], "--timeout"),
        (&["--upstream", "http://127.0.0.1:1", "--token-file", "/no/such/file"], "the token file"),
        (&["--upstream", "http://127.0.0.1:1"], "--token-file"),
    ] {
        let said = run(&[&["proxy-origin", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"][..], args].concat());
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.err);
        assert!(said.err.contains(said_so), "{args:?}: {}", said.err);
    }
}
