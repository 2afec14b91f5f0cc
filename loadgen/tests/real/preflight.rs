//! Before a run: a Redis that will not do what the lab needs is told in its own words and with the remedy for that cause, before
//! anything is run. Each against a real redis-server that was set up so.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use crate::common::{Said, beside, run, until};
use app::cache::redis_server::PrivateRedis;
use app::testing;

/// A run of a second, were it to begin. What leads to it must fail without a trace, in the house's words and nobody else's.
fn refused(url: &str) -> Said {
    let results = tempfile::tempdir().unwrap();
    let output = results.path().to_str().unwrap();
    let said = run(&["--scenario", "hotkey", "--redis", url, "-w", "0s", "-d", "1s", "-o", output]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert_eq!(std::fs::read_dir(results.path()).unwrap().count(), 0, "nothing was run: {}", said.err);
    for foreign in ["signalled by the server", "ResponseError", "ErrorKind", "HTTP 5", "os error", " - "] {
        assert!(!said.err.contains(foreign), "{foreign:?} is in {}", said.err);
    }
    said
}

fn check(url: &str, words: &[&str]) {
    let said = refused(url);
    let error = said.err.lines().find(|line| line.starts_with("error: ")).unwrap_or(&said.err);
    assert_eq!(error.matches(" · ").count(), 3, "what · where · found · remedy: {error}");
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error}");
    }
}

fn command(redis: &PrivateRedis, words: &[&str]) -> String {
    let socket = redis.url().replace("redis+unix://", "");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all((words.join(" ") + "\r\n").as_bytes()).unwrap();
    let mut answer = [0; 1 << 16];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[test]
fn a_replica_takes_no_writes() {
    let Some(redis) = testing::redis(&["--replicaof", "127.0.0.1 1"]) else { return };
    check(
        &redis.url(),
        &[", put ·", "READONLY You can't write against a read only replica", "give its primary with --redis"],
    );
}

#[test]
fn a_full_one() {
    let Some(redis) = testing::redis(&["--maxmemory", "1"]) else { return };
    check(&redis.url(), &["OOM command not allowed when used memory > 'maxmemory'", "raise its maxmemory"]);
}

#[test]
fn one_that_cannot_save() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(redis) = testing::redis(&["--dir", dir, "--save", "3600 1"]) else { return };
    // Where the snapshot is to go lies a folder.
    std::fs::create_dir(Path::new(dir).join("dump.rdb")).unwrap();
    command(&redis, &["BGSAVE"]);
    until("the snapshot failed", || command(&redis, &["INFO", "persistence"]).contains("last_bgsave_status:err"));
    check(&redis.url(), &["MISCONF", "stop-writes-on-bgsave-error no"]);
}

#[test]
fn one_without_scripts() {
    let Some(redis) = testing::redis(&["--rename-command", "EVALSHA", "", "--rename-command", "EVAL", ""]) else {
        return;
    };
    check(&redis.url(), &[", acquire ·", "ERR unknown command 'EVALSHA'", "rename-command"]);
}

#[test]
fn a_user_without_the_rights() {
    for (rules, words) in [
        ("~* &* +@all -evalsha -eval", [", acquire ·", "NOPERM", "+evalsha"]),
        ("~other:* &* +@all", [", get ·", "NOPERM", "~lab:*"]),
        ("~* resetchannels +@all", [", subscribe ·", "NOPERM", "&lab:*"]),
        ("~* &* +@all -publish", [", publish ·", "NOPERM", "+publish"]),
    ] {
        let user = format!("default on nopass resetkeys {rules}");
        let mut args = vec!["--user"];
        args.extend(user.split(' '));
        let Some(redis) = testing::redis(&args) else { return };
        check(&redis.url(), &words);
    }
}

#[test]
fn a_node_of_a_cluster() {
    // The cluster's bus is 10 000 ports above. Both lie below the ports that the kernel gives to connections, which could take one meanwhile.
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let port = (12_000..22_000).find(|port| free(*port) && free(*port + 10_000)).unwrap().to_string();
    let Some(redis) = testing::redis(&["--cluster-enabled", "yes", "--port", &port, "--bind", "127.0.0.1"]) else {
        return;
    };
    check(&redis.url(), &["CLUSTERDOWN Hash slot not served", "name at least two of its nodes"]);
    // One that has half of the slots serves some keys and not the others.
    command(&redis, &["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    command(&redis, &["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    until("the cluster is up", || command(&redis, &["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    check(&redis.url(), &["CLUSTERDOWN Hash slot not served", "name at least two of its nodes"]);
}

#[test]
fn one_without_room_for_the_connections() {
    for clients in ["1", "4"] {
        let Some(redis) = testing::redis(&["--maxclients", clients]) else { return };
        check(&redis.url(), &["ERR max number of clients reached", "raise its maxclients"]);
    }
}

#[test]
fn one_without_room_for_a_pool() {
    let Some(redis) = testing::redis(&["--maxclients", "60"]) else { return };
    // Before Redis 7.0 it does not tell.
    if !command(&redis, &["INFO", "clients"]).contains("maxclients:") {
        return testing::skipped("this Redis does not tell its maxclients");
    }
    let results = tempfile::tempdir().unwrap();
    let url = redis.url();
    let run = |size: u32| {
        let pool = format!("plain + pool(size={size})");
        let args =
            ["--scenario", "hotkey", "--lab", "local", "--redis", &url, "--strategy", &pool, "-w", "0s", "-d", "1s"];
        Said::from(
            crate::common::loadgen(&[&args[..], &["-o", results.path().to_str().unwrap()]].concat()).output().unwrap(),
        )
    };
    let said = run(20);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("needed 60: 20 for each of 3 replicas"), "{}", said.err);
    assert_ne!(run(10).code, Some(2), "it has room for 30");
}

#[test]
fn a_password_that_is_missing_or_wrong() {
    let Some(redis) = testing::redis(&["--requirepass", "right"]) else { return };
    check(&redis.url(), &["NOAUTH Authentication required", "give user and password"]);
    check(
        &format!("{}?pass=wrong", redis.url()),
        &["WRONGPASS invalid username-password pair", "check user and password"],
    );
    let Some(open) = testing::redis(&[]) else { return };
    check(&format!("{}?pass=wrong", open.url()), &["ERR AUTH", "without any password", "check user and password"]);
}

#[test]
fn one_that_is_loading() {
    let folder = tempfile::tempdir().unwrap();
    let dir = ["--dir", folder.path().to_str().unwrap()];
    let Some(redis) = testing::redis(&dir) else { return };
    command(&redis, &["EVAL", "\"for i = 1, 20000 do redis.call('SET', 'key' .. i, 'value') end\"", "0"]);
    assert!(command(&redis, &["SAVE"]).contains("OK"));
    drop(redis);
    let slow = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    let Some(redis) = testing::redis(&[&dir[..], &slow].concat()) else { return };
    check(&redis.url(), &["LOADING Redis is loading the dataset in memory", "wait until it has loaded"]);
}

/// Its clients seem to come from elsewhere: from another address than 127.0.0.1, through a relay on this machine.
#[test]
fn one_in_protected_mode() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = free.to_string();
    let Some(_redis) = testing::redis(&["--port", &port, "--bind", "127.0.0.1", "--protected-mode", "yes"]) else {
        return;
    };
    let relay = relay(SocketAddr::from(([127, 0, 0, 1], free)));
    check(&format!("redis://{relay}"), &["DENIED Redis is running in protected mode", "set a password there"]);
}

/// Passes connections on to `to`, from 127.0.0.9.
fn relay(to: SocketAddr) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let socket = tokio::net::TcpSocket::new_v4().unwrap();
                    socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
                    let mut server = socket.connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    });
    told.recv().unwrap()
}

/// A listener whose connections are each handed to `converse`.
fn server(converse: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || converse(stream));
        }
    });
    format!("redis://{address}")
}

#[test]
fn what_is_no_redis() {
    let http = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    check(&http, &["an answer that is not Redis' protocol: HTTP/1.1 400 Bad Request", "check host and port"]);
    // A black hole takes the connection and never answers; and nobody at all.
    let hole = server(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {});
    check(&hole, &["no answer in time", "is it stopped, paused, or busy?"]);
    check(&server(drop), &["the connection was closed", "does it let this machine in?"]);
    check("redis://127.0.0.1:1", &["nobody listens there", "start it, give another with --redis"]);
}

/// What is tried leaves nothing behind, and a good server is not refused.
#[test]
fn a_good_one_is_used_and_is_empty_again() {
    let Some(redis) = testing::redis(&[]) else { return };
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let output = results.path().to_str().unwrap();
    let args =
        ["--scenario", "hotkey", "--strategy", "naive", "--redis", &redis.url(), "-w", "0s", "-d", "1s", "-o", output];
    let said = run(&args);
    assert!(matches!(said.code, Some(0 | 4)), "{}", said.err);
    assert!(!command(&redis, &["KEYS", "*"]).contains("preflight"), "{}", command(&redis, &["KEYS", "*"]));
}
