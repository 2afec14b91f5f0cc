//! Ctrl-C once and twice, a parent that is killed, and a Redis that is.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};

use crate::common::{beside, loadgen, only_run, record, run, seconds, signal, sound, strategy, unspoiled, until};

/// A child whose first strategy is under way.
fn started(args: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = loadgen(args).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("1/") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first strategy");
    }
    (child, err)
}

fn args<'a>(results: &'a str, cache: &'a [&'a str]) -> Vec<&'a str> {
    let first = ["--scenario", "hotkey", "-w", "0s", "-d", "60s", "--set", "cache.ttl=1s", "-o", results];
    [&first[..], cache].concat()
}

/// The processes that a child has started, and theirs.
fn descendants(of: u32) -> Vec<u32> {
    let output = Command::new("pgrep").args(["-P", &of.to_string()]).output().unwrap();
    let children = String::from_utf8_lossy(&output.stdout).lines().map(|l| l.parse().unwrap()).collect::<Vec<u32>>();
    children.iter().flat_map(|child| [vec![*child], descendants(*child)].concat()).collect()
}

fn alive(pid: &u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn command_line(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

/// The folders that a child's guards look after.
fn folders(pids: &[u32]) -> Vec<String> {
    let word = |pid: &u32| {
        command_line(*pid).split(' ').find(|w| w.starts_with('/') && w.contains("/stampede-")).map(str::to_owned)
    };
    pids.iter().filter_map(word).collect()
}

#[test]
fn ctrl_c_once_drains_writes_and_says_incomplete() {
    let results = tempfile::tempdir().unwrap();
    let (before, path) = unspoiled(results.path(), |folder| {
        let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let (mut child, mut err) = started(&args(folder.to_str().unwrap(), &["--cache", "memory"]));
        std::thread::sleep(std::time::Duration::from_millis(2500)); // somewhere in the run: it is a user who presses Ctrl-C
        signal(&child, "INT");
        let mut rest = String::new();
        err.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("stopping: what is under way is finished and written"), "{rest}");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        before
    });
    let run = record(&path);
    assert!(!run.complete);
    let naive = strategy(&run, "naive");
    assert!(sound(naive), "{:?}", naive.invalid_because);
    assert_eq!((run.strategies.len(), naive.outcomes.sum()), (1, naive.requests), "nothing was lost");
    let rows = seconds(&path, "naive");
    assert!(rows.len() < 20, "no rows for seconds that never were: {}", rows.len());
    assert!(path.join("report.html").exists());
    // Everything is said of the seconds that were, and nothing of those that were not.
    let cut = naive.cut_after_s.unwrap();
    assert!((0.5..10.0).contains(&cut), "{cut}");
    let events = crate::common::folder(&path, "naive").read_events().unwrap();
    let last = events.iter().filter(|e| e.event == "expiry").map(|e| e.t_ns).max().unwrap_or(0);
    assert!(last as f64 <= cut * 1e9, "an expiry that nobody saw, at {last} ns");
    let measured: u64 = rows.iter().filter(|r| r.start_ms >= 0).filter_map(|r| r.origin_starts).sum();
    assert_eq!(measured, crate::common::origin_of(naive).total);
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    // The log's wall time is when the load began, not a guess from how long it was to take.
    let log = std::fs::read_to_string(path.join("naive/latency.hlog")).unwrap();
    let start = log.lines().find_map(|l| l.strip_prefix("#[StartTime: ")?.split(' ').next()?.parse::<f64>().ok());
    assert!((before..before + 30.0).contains(&start.unwrap()), "{start:?} is not after {before}");
    assert!(page.contains(&format!("naive was cut short after {cut:.1} s of 60 s")));
}

#[test]
fn ctrl_c_twice_leaves_at_once_and_takes_redis_along() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    if app::testing::redis(&[]).is_none() {
        return;
    }
    // A service time of ten seconds, so that the first one's drain takes longer than anybody waits.
    let slow = ["--set", "origin.service_time=10s", "--set", "load.timeout=60s"];
    let (mut child, _err) = started(&[&args(results.path().to_str().unwrap(), &[])[..], &slow].concat());
    let mine = descendants(child.id());
    let folders = folders(&mine);
    assert!(folders.len() >= 2, "one for the origin, one for Redis: {folders:?}");
    signal(&child, "INT");
    std::thread::sleep(std::time::Duration::from_millis(100)); // two presses, not one
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    until("nothing that it started is left", || !mine.iter().any(alive));
    assert!(folders.iter().all(|f| !Path::new(f).exists()), "{folders:?}");
}

/// Everybody's bits of the folders that a run holds, whatever the umask.
#[test]
fn a_closed_terminal_is_a_ctrl_c_unless_it_is_not_to_matter_and_folders_are_their_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = env!("CARGO_BIN_EXE_loadgen");
    // Whatever runs the tests may ignore SIGHUP, and that is inherited.
    let closed = |before: &str, results: &Path| {
        let at = results.display();
        let line = format!("{before} {program} --scenario hotkey -w 0s -d 3s --strategy naive --cache memory -o {at}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = shell.spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("1/") {
            line.clear();
            assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first strategy");
        }
        let held = folders(&descendants(child.id()));
        assert!(!held.is_empty());
        for folder in &held {
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{before}: {folder}");
        }
        signal(&child, "HUP");
        let mut rest = String::new();
        err.read_to_string(&mut rest).unwrap();
        let code = child.wait().unwrap().code();
        assert!(held.iter().all(|folder| !Path::new(folder).exists()), "{before}: {held:?}");
        (code, rest)
    };
    for (before, code) in [("umask 000; exec env --default-signal=HUP", Some(130)), ("umask 077; exec nohup", Some(0))]
    {
        let results = tempfile::tempdir().unwrap();
        let ((ended, said), path) = unspoiled(results.path(), |folder| closed(before, folder));
        assert_eq!(ended, code, "{before}: {said}");
        assert_eq!(record(&path).complete, code == Some(0), "{before}");
    }
}

#[test]
fn a_generator_that_is_killed_leaves_no_redis_behind() {
    let Some(redis) = app::testing::redis(&[]) else { return };
    drop(redis);
    for (cache, servers) in [("redis", 1), ("cluster", 6), ("sentinel", 5)] {
        let _beside = beside();
        let results = tempfile::tempdir().unwrap();
        let (mut child, _err) = started(&args(results.path().to_str().unwrap(), &["--cache", cache]));
        let mine = descendants(child.id());
        let is_server = |pid: &&u32| {
            let line = command_line(**pid);
            line.starts_with("redis-server")
                || line.starts_with("/usr/bin/redis-server")
                || line.contains("/redis-server ")
        };
        let found = mine.iter().filter(is_server).filter(|pid| !command_line(**pid).starts_with("sh ")).count();
        assert_eq!(found, servers, "there are some to be left behind: {cache}");
        let folders = folders(&mine);
        signal(&child, "KILL");
        child.wait().unwrap();
        until("nothing that it started is left", || !mine.iter().any(alive));
        assert!(folders.iter().all(|f| !Path::new(f).exists()), "{folders:?}");
    }
}

/// Also where a server stands still, and where they do not come up at all.
#[test]
fn servers_that_stand_still_or_do_not_come_up_leave_nothing_behind() {
    if app::testing::redis(&[]).is_none() {
        return;
    }
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let file = results.path().join("mine.toml");
    let event = "\n[[event]]\nat = \"500ms\"\ndo = \"cache-failover\"\nfor = \"50s\"\n";
    std::fs::write(&file, run(&["show", "hotkey"]).out + event).unwrap();
    let load = ["--scenario", file.to_str().unwrap(), "-w", "0s", "-d", "60s", "--cache", "sentinel"];
    let (mut child, _err) = started(&[&load[..], &["-o", results.path().to_str().unwrap()]].concat());
    let mine = descendants(child.id());
    let stopped = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains("State:\tT"))
    };
    until("a server stands still", || mine.iter().any(stopped));
    signal(&child, "INT");
    std::thread::sleep(std::time::Duration::from_millis(100)); // two presses, not one
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    until("nothing that it started is left", || !mine.iter().any(alive));

    let temp = tempfile::tempdir().unwrap();
    for cache in ["cluster", "sentinel"] {
        let broken = ["--lab", "local", "--scenario", "hotkey", "--cache", cache, "--redis-server", "/bin/false"];
        let said = loadgen(&broken).env("TMPDIR", temp.path()).output().unwrap();
        assert_eq!(said.status.code(), Some(1), "{}", String::from_utf8_lossy(&said.stderr));
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "{cache}: a folder is left");
    }
}

#[test]
fn redis_killed_in_mid_run_makes_the_run_invalid_and_the_lock_coalesces_until_it_is_back() {
    let _beside = beside();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let serve = || app::testing::redis(&["--port", &port, "--bind", "127.0.0.1"]);
    let Some(redis) = serve() else { return };
    let results = tempfile::tempdir().unwrap();
    let url = format!("redis://127.0.0.1:{port}");
    let at = results.path().to_str().unwrap();
    let more = ["--scenario", "hotkey", "-w", "1s", "-d", "8s", "--set", "cache.ttl=1s", "--strategy", "singleflight"];
    let mut child = loadgen(&[&more[..], &["--redis", &url, "-o", at, "--set", "origin.service_time=50ms"]].concat());
    let child = child.spawn().unwrap();
    let log = results.path();
    until("the run has begun", || std::fs::read_dir(log).unwrap().next().is_some());
    until("there is something in the cache", || keys(&port) > 0);
    std::thread::sleep(std::time::Duration::from_millis(2500)); // into the measured phase
    drop(redis); // kill -9
    std::thread::sleep(std::time::Duration::from_secs(2)); // an outage has a length
    let _again = serve().unwrap();
    let said: crate::common::Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(4), "{}\n{}", said.out, said.err);
    assert!(said.out.contains("INVALID") && said.out.contains("the cache failed"), "{}", said.out);
    assert_outage(&only_run(results.path()));
}

fn keys(port: &str) -> u64 {
    let output = Command::new("redis-cli").args(["-p", port, "dbsize"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0)
}

fn assert_outage(path: &Path) {
    let run = record(path);
    let singleflight = strategy(&run, "singleflight");
    let events = singleflight.events.unwrap();
    assert!(events.lock_fallback > 0 && events.cache_errors > 0);
    assert_eq!(singleflight.errors, 0, "nobody got an error: {:?}", singleflight.error_kinds);
    assert!(singleflight.ledgers.as_ref().unwrap().disagree.is_empty(), "{:?}", singleflight.ledgers);
    // Without a cache every request reads, yet never more than one of a key and replica at once; but for the two moments
    // in which Redis goes and comes, when a read under the lock may meet one of the fall-back's.
    let rows = crate::common::folder(path, "singleflight").read_origin().unwrap();
    for key in ["1", "2"] {
        for replica in 0..3 {
            let mut spans: Vec<_> = rows
                .iter()
                .filter(|r| r.key == key && r.replica == Some(replica))
                .map(|r| (r.arrived_ns, r.end_ns.unwrap()))
                .collect();
            spans.sort_unstable();
            let together = spans.windows(2).filter(|w| w[1].0 < w[0].1).count();
            assert!(together <= 2, "{together} times two reads of {key} at once in replica {replica}");
        }
    }
    // And it came back by itself.
    let last = seconds(path, "singleflight").into_iter().rfind(|r| r.sent > 0).unwrap();
    assert!(last.hit * 2 > last.sent, "{last:?}");
}
