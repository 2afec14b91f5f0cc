//! The configurations of docs/targets, as they are documented: the real nginx and the real Varnish between the generator
//! and the lab's origin, judged by the origin's ledger.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use app::origin::{self, OriginListeners};
use app::process::shutdown::{Shutdown, Stop};
use app::testing::{Certificates, needed};
use app::wire::auth::ControlToken;

use crate::common::{assert_ended, folder, origin_of, record, run, signal, sound, strategy, unspoiled, until};
use report::record::{BinRow, Strategy};
use tempfile::TempDir;

const TOKEN: &str = "a token for the tests only";

fn on_path(program: &str) -> Option<PathBuf> {
    let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap());
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// The program, where it is needed and here.
pub(crate) fn program(name: &str, program: &str) -> Option<PathBuf> {
    needed(name, || on_path(program))
}

/// The origin program's service, on a thread.
struct Origin {
    data: SocketAddr,
    control: SocketAddr,
    _stop: Stop,
}

impl Origin {
    fn start(folder: &Path) -> Self {
        let (stop, shutdown) = Shutdown::pair();
        let (tell, told) = mpsc::channel();
        let file = folder.join("origin.sqlite");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let service = origin::open(&file).await.unwrap();
                let bind = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let (data, control) = (bind().await, bind().await);
                tell.send((data.local_addr().unwrap(), control.local_addr().unwrap())).unwrap();
                let control = Some((control, ControlToken::given(TOKEN).unwrap()));
                origin::run(service, OriginListeners { data, control }, shutdown).await;
            });
        });
        let (data, control) = told.recv().unwrap();
        Self { data, control, _stop: stop }
    }
}

/// A program that the system asks to end if we are killed, where it has `setpriv`.
pub(crate) fn guarded(program: &Path) -> Command {
    let Some(setpriv) = on_path("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

/// nginx or Varnish. Asked to end, and waited for: killed, nginx would leave its workers behind.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(command: &mut Command, log: &Path, port: u16) -> Self {
        let file = std::fs::File::create(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        let mut server = Self(child);
        until("the server answers", || {
            let ended = server.0.try_wait().unwrap();
            assert!(ended.is_none(), "{}", std::fs::read_to_string(log).unwrap());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(&self.0, "TERM");
        let _ = self.0.wait();
    }
}

/// A documented file, with what stands left of each pair replaced: its ports.
fn configuration(name: &str, ports: &[(&str, String)], into: &Path) -> PathBuf {
    let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/targets").join(name);
    let mut text = std::fs::read_to_string(&documented).unwrap();
    for (from, to) in ports {
        assert!(text.contains(from), "{name} has no {from}");
        text = text.replace(from, to);
    }
    let file = into.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that nginx's workers can enter: they are nobody where its master is root.
pub(crate) fn enterable() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("chmod").args(["711", folder.path().to_str().unwrap()]).status().unwrap().success());
    folder
}

/// What came of fifty clients, a cold cache and its first expiry: after 5 s in Varnish, after 5 to 6 s in nginx.
struct Seen {
    result: Strategy,
    /// Items read in the origin's ledger, and answers that say that they were read from it.
    reads: u64,
    loads: u64,
    /// The shortest answer that says that it waited, milliseconds.
    wait_ms_min: Option<f64>,
}

fn hotkey(target: u16, origin: &Origin, scratch: &Path) -> Seen {
    let results = scratch.join(target.to_string());
    let token = scratch.join("token");
    std::fs::write(&token, TOKEN).unwrap();
    let witness =
        ["--origin-control", &format!("http://{}", origin.control), "--origin-token-file", token.to_str().unwrap()];
    let (said, path) = unspoiled(&results, |folder| {
        // No cache has the items of this query yet.
        let (folder, query) = (folder.to_str().unwrap(), folder.file_name().unwrap().to_str().unwrap());
        let url = format!("http://127.0.0.1:{target}/items/{{key}}?{query}");
        let load = ["--scenario", "hotkey", "-w", "0s", "-d", "7500ms", "--target", &url, "-o", folder];
        run(&[&load[..], &witness].concat())
    });
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    let result = strategy(&run, "target").clone();
    assert!(sound(&result), "{:?}", result.invalid_because);
    assert_eq!((result.errors, result.outcomes.unknown), (0, 0), "{:?}", result.error_kinds);
    let folder = folder(&path, &result.folder);
    // All but the question before the load: that was for an item that doesn't exist.
    let reads = folder.read_origin().unwrap().iter().filter(|row| row.outcome == "ok").count() as u64;
    let loads = folder.read_seconds().unwrap().iter().map(|row: &BinRow| row.load).sum();
    let waits = folder.read_latency(&["resp.wait"], 0..7500).unwrap();
    let waits = waits.get("resp.wait").filter(|waits| !waits.is_empty());
    let wait_ms_min = waits.map(|waits| waits.min() as f64 / 1e6);
    Seen { result, reads, loads, wait_ms_min }
}

impl Seen {
    fn reads_per_expiry_max(&self) -> u64 {
        origin_of(&self.result).per_expiry.as_ref().unwrap().max
    }
}

#[test]
fn nginx_locks_new_entries_polls_for_them_and_lets_a_herd_through_at_expiry() {
    let Some(nginx) = program("nginx", "nginx") else { return };
    let scratch = enterable();
    let origin = Origin::start(scratch.path());
    let [plain, lock, stale, window] = [(); 4].map(|()| free_port());
    let documented = ["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083", "127.0.0.1:8084", "127.0.0.1:8090"];
    let ours = [plain, lock, stale, window, origin.data.port()].map(|port| format!("127.0.0.1:{port}"));
    let ports: Vec<_> = documented.into_iter().zip(ours).collect();
    let file = configuration("nginx.conf", &ports, scratch.path());
    let mut command = guarded(&nginx);
    command.arg("-p").arg(scratch.path()).arg("-c").arg(file);
    let _server = Server::start(&mut command, &scratch.path().join("log"), window);
    let run = |port| hotkey(port, &origin, scratch.path());

    let plain = run(plain);
    assert!(plain.reads_per_expiry_max() >= 35, "a herd: {}", plain.reads_per_expiry_max());
    assert_eq!((plain.result.outcomes.wait, plain.result.outcomes.stale), (0, 0));
    assert_eq!(plain.loads, plain.reads, "the header and the ledger");

    let lock = run(lock);
    assert!(lock.reads_per_expiry_max() >= 35, "an expired entry isn't locked: {}", lock.reads_per_expiry_max());
    // They came in the first 200 ms of a cold cache, and the origin's answer was there for all of them.
    assert!(lock.wait_ms_min.unwrap() >= 490.0, "a poll: {:?}", lock.wait_ms_min);
    assert_eq!((lock.loads, lock.result.outcomes.stale), (lock.reads, 0));

    let stale = run(stale);
    assert_eq!(stale.reads_per_expiry_max(), 1);
    assert!(stale.result.outcomes.stale > 0 && stale.loads < stale.reads, "refreshed in the background");

    let window = run(window);
    // 7.5 s touch two or three windows of five.
    let hot = window.result.hot.as_ref().unwrap().origin_total.unwrap();
    assert!((2..=3).contains(&hot), "one read a window: {hot}");
    assert!(window.wait_ms_min.unwrap() >= 490.0, "a poll: {:?}", window.wait_ms_min);
    assert_eq!((window.loads, window.result.outcomes.stale), (window.reads, 0));
}

#[test]
fn varnish_wakes_its_waiters_and_with_grace_nobody_waits() {
    let Some(varnishd) = program("varnish", "varnishd") else { return };
    let scratch = enterable();
    let origin = Origin::start(scratch.path());
    let [coalesce, grace] = [(); 2].map(|()| free_port());
    let file = configuration("default.vcl", &[("\"8090\"", format!("\"{}\"", origin.data.port()))], scratch.path());
    let mut command = guarded(&varnishd);
    command.args(["-F", "-j", "none", "-s", "malloc,64m"]);
    command.arg("-n").arg(scratch.path().join("varnish")).arg("-f").arg(file);
    command.args(["-a", &format!("coalesce=127.0.0.1:{coalesce}"), "-a", &format!("grace=127.0.0.1:{grace}")]);
    let _server = Server::start(&mut command, &scratch.path().join("log"), grace);
    let run = |port| hotkey(port, &origin, scratch.path());

    let coalesce = run(coalesce);
    assert_eq!(coalesce.reads_per_expiry_max(), 1);
    assert!(coalesce.result.outcomes.wait > 0 && coalesce.result.outcomes.stale == 0);
    assert!(coalesce.wait_ms_min.unwrap() < 200.0, "woken, not polling: {:?}", coalesce.wait_ms_min);
    assert_eq!(coalesce.loads, coalesce.reads, "the header and the ledger");

    let grace = run(grace);
    assert_eq!(grace.reads_per_expiry_max(), 1);
    assert!(grace.result.outcomes.stale > 0 && grace.loads < grace.reads, "refreshed in the background");
}

/// nginx with a certificate of an authority of the test's own, and its own word for how it answered.
pub(crate) fn nginx_over_tls(scratch: &Path, port: u16) -> Option<(Server, Certificates)> {
    let (nginx, certificates) = (program("nginx", "nginx")?, Certificates::made()?);
    let [certificate, key] = ["server.crt", "server.key"].map(|name| certificates.file(name).display().to_string());
    let configuration = format!(
        "daemon off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path a;\n\
         proxy_temp_path b;\nfastcgi_temp_path c;\nuwsgi_temp_path d;\nscgi_temp_path e;\nserver {{ listen 127.0.0.1:{port} ssl;\n\
         ssl_certificate {certificate};\nssl_certificate_key {key};\nlocation / {{ add_header X-Cache HIT; return 200 ok; }} }} }}\n"
    );
    let file = scratch.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let mut command = guarded(&nginx);
    command.arg("-p").arg(scratch).arg("-c").arg(file);
    Some((Server::start(&mut command, &scratch.join("log"), port), certificates))
}
