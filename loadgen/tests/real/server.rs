//! A private Redis that is set up by the scenario, watched while a strategy runs, and made to fork.

use std::path::{Path, PathBuf};

use app::testing;
use report::record::Run;

use crate::common::{assert_ended, folder, record, run, strategy, unspoiled};

/// Hot reads beside events that are about the server, with an append-only file.
fn scenario(at: &Path) -> PathBuf {
    let file = at.join("mine.toml");
    let event = |at: &str, what: &str| format!("\n[[event]]\nat = \"{at}\"\ndo = \"{what}\"\n");
    let events =
        [event("500ms", "cache-grow") + "keys = 3000\n", event("1s", "cache-save"), event("3s", "cache-rewrite-aof")];
    let text = run(&["show", "hotkey"])
        .out
        .replace("ttl = \"5s\"", "ttl = \"1s\"\n\n[cache.redis]\nappendonly = \"yes\"\nmaxmemory = \"64MiB\"");
    std::fs::write(&file, text + &events.concat()).unwrap();
    file
}

fn eventful(results: &Path, server: &[&str]) -> (Run, PathBuf) {
    let mine = scenario(results);
    let args =
        ["--scenario", mine.to_str().unwrap(), "--strategy", "singleflight", "-w", "1s", "-d", "5s", "--lab", "local"];
    let (said, path) =
        unspoiled(&results.join("runs"), |to| run(&[&args[..], server, &["-o", to.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    (record(&path), path)
}

fn check(record: &Run, path: &Path) {
    assert_eq!(record.cache_settings.get("maxmemory").map(String::as_str), Some("64MiB"));
    let server = strategy(record, "singleflight").server.clone().unwrap();
    assert_eq!((server.saves, server.rewrites), (1, 1), "{server:?}");
    assert!(server.forks.unwrap() >= 2 && server.fork_ms_max.unwrap() > 0.0 && server.samples > 20, "{server:?}");
    assert!(server.slowest.is_some() && server.near_share.unwrap() > 0.0, "{server:?}");
    let files = folder(path, "singleflight");
    let rows = files.read_server().unwrap();
    let marked = |mark: &str| rows.iter().filter(|row| row.marks.split(' ').any(|one| one == mark)).count();
    for mark in ["save-begin", "save-end", "rewrite-begin", "rewrite-end"] {
        assert_eq!(marked(mark), 1, "{mark}");
    }
    assert!(rows.iter().any(|row| row.keys >= 3000) && rows.iter().all(|row| row.slow_commands.is_some()));
    assert!(rows.iter().any(|row| row.aof_bytes.is_some_and(|bytes| bytes > 0)));
    let mut told = Vec::new();
    files.each_event(&mut |row| told.extend((row.event == "fault").then(|| row.detail.unwrap_or_default()))).unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0] == "cache grows by 3000 keys" && told[1].contains("Background saving started"), "{told:?}");
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert!(page.contains("Marks of the cache’s server") && page.contains("class=\"server fork\""));
}

#[test]
fn what_a_server_does_is_marked_where_it_happened() {
    let Some(server) = testing::needed("redis", app::cache::redis_server::installed) else { return };
    let results = tempfile::tempdir().unwrap();
    let (record, path) = eventful(results.path(), &["--redis-server", server.to_str().unwrap()]);
    assert!(record.cache.starts_with("redis "), "{}", record.cache);
    check(&record, &path);
}

/// Where one is installed: a wheel has one, too, and lays it on the PATH.
#[test]
fn a_valkey_does_the_same_and_is_called_so() {
    let find = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join("valkey-server")).find(|file| file.is_file())
    };
    let Some(server) = testing::needed("valkey", find) else { return };
    let results = tempfile::tempdir().unwrap();
    let (record, path) = eventful(results.path(), &["--redis-server", server.to_str().unwrap()]);
    assert!(record.cache.starts_with("valkey "), "{}", record.cache);
    check(&record, &path);
}

#[test]
fn a_server_that_may_not_be_asked_everything_is_watched_as_far_as_it_lets_itself() {
    let user = format!("default on nopass resetkeys {}", app::process::secrets::REPLICA_MAY);
    let mut args = vec!["--user"];
    args.extend(user.split_whitespace());
    let Some(redis) = testing::redis(&args) else { return };
    let results = tempfile::tempdir().unwrap();
    let load = ["--scenario", "hotkey", "--strategy", "singleflight", "-w", "1s", "-d", "2s", "--redis"];
    let (said, path) =
        unspoiled(results.path(), |to| run(&[&load[..], &[&redis.url(), "-o", to.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let server = strategy(&record(&path), "singleflight").server.clone().unwrap();
    assert!(server.slow_commands.is_none() && server.samples > 5, "{server:?}");
}

#[test]
fn a_server_that_does_not_know_a_setting_says_so_at_once() {
    let Some(server) = testing::needed("redis", app::cache::redis_server::installed) else { return };
    let Err(said) = app::cache::redis_server::PrivateRedis::start(&server, &["--no-such-setting", "yes"]) else {
        panic!("it started");
    };
    assert!(said.starts_with("it ended at once: ") && said.contains("no-such-setting"), "{said}");
}
