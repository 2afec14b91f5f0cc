//! File descriptors: what the soft limit refuses the hard one allows, and what the generator lacks is no fault of the server's.

use std::process::Command;
use std::time::Duration;

use crate::common::{Said, beside, only_run, record, strategy};
use axum::routing::get;

/// The real binary under a limit of its shell's.
fn limited(limit: &str, args: &[&str]) -> Said {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_loadgen")]).args(args);
    shell.env("COMPOSE_PROJECT_NAME", "stampede-no-such-stack");
    shell.output().unwrap().into()
}

#[test]
fn the_usual_soft_limit_is_raised_to_the_hard_one() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let args =
        ["--scenario", "hotkey", "--strategy", "coalesce", "-c", "80", "-w", "0s", "-d", "2s", "--cache", "memory"];
    let said = limited("-Sn 1024", &[&args[..], &["-o", results.path().to_str().unwrap()]].concat());
    assert_ne!(said.code, Some(2), "{}", said.err);
    let run = record(&only_run(results.path()));
    let coalesce = strategy(&run, "coalesce");
    assert!(coalesce.requests > 80 && coalesce.errors == 0, "{} {:?}", coalesce.requests, coalesce.error_kinds);
    let refused = limited("-n 700", &[&args[..], &["-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("ulimit -Hn · found 700, needed about 1080"), "{}", refused.err);
}

/// A server whose answers take longer than the run.
fn slow_server() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let answer = || async {
                tokio::time::sleep(Duration::from_millis(2500)).await;
                "late"
            };
            axum::serve(listener, axum::Router::new().fallback(get(answer))).await.unwrap();
        });
    });
    format!("http://{}/{{key}}", told.recv().unwrap())
}

#[test]
fn descriptors_that_an_open_loop_lacks_are_the_generators_and_make_the_run_invalid() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let target = slow_server();
    let args = ["--scenario", "hotkey-open", "--target", &target, "-w", "0s", "-d", "2s", "--set", "load.rate=400/s"];
    let said = limited("-n 200", &[&args[..], &["-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let run = record(&only_run(results.path()));
    let target = &run.strategies[0];
    assert!(target.error_kinds["generator-no-descriptors"] > 100, "{:?}", target.error_kinds);
    assert!(!target.error_kinds.keys().any(|kind| kind.starts_with("connect-")), "{:?}", target.error_kinds);
    let named = |why: &&String| why.contains("the generator had no more file descriptors");
    assert!(target.invalid_because.iter().find(named).is_some(), "{:?}", target.invalid_because);
}
