//! The two programs as an operator runs them: flags, environment, signals.

use std::process::{Child, Command, Stdio};

use app::testing::{self, EncryptedRedis, free_port};
use app::wire::auth::ControlToken;
use app::wire::control::Identity;
use app::wire::control_client::ControlClient;
use evidence::{CacheStatus, OriginRead};

use crate::common::{eventually, get, request, settings, start};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;

fn spawn(program: &str, args: &[&str]) -> Child {
    Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn up(url: &str) {
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let client: hyper_util::client::legacy::Client<_, http_body_util::Empty<bytes::Bytes>> = client.build_http();
    eventually("the program answers", async || client.get(format!("{url}/healthz").parse().unwrap()).await.is_ok())
        .await;
}

fn ends_well(mut child: Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "SIGTERM is a good end");
}

/// A program that must refuse and end; one that serves instead is ended, and the test fails instead of waiting for ever.
fn ends_by_itself(program: &str, args: &[&str]) -> std::process::Output {
    let child = spawn(program, args);
    let id = child.id().to_string();
    let (told, ended) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || told.send(child.wait_with_output().unwrap()));
    let Ok(output) = ended.recv_timeout(std::time::Duration::from_secs(60)) else {
        Command::new("kill").args(["-KILL", &id]).status().unwrap();
        waiting.join().unwrap().unwrap();
        panic!("{program} {args:?} serves, and should have refused");
    };
    output
}

#[tokio::test]
async fn replica_and_origin_serve_and_end_at_sigterm() {
    let Some(redis) = testing::redis(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("token"), "a token of some length\n").unwrap();
    let token = ControlToken::given("a token of some length").unwrap();
    let address = |port: u16| format!("127.0.0.1:{port}");
    let ports = [free_port(), free_port(), free_port(), free_port()];
    let [origin_at, origin_control, replica_at, replica_control] = ports.map(address);
    let (database, token_file) = (path("origin.sqlite"), path("token"));
    let origin = spawn(
        env!("CARGO_BIN_EXE_origin"),
        &["--listen", &origin_at, "--control", &origin_control, "--token-file", &token_file, "--database", &database],
    );
    let (redis_url, origin_url) = (redis.url(), format!("http://{origin_at}"));
    let replica = spawn(
        env!("CARGO_BIN_EXE_app"),
        &[
            &["--listen", &replica_at, "--control", &replica_control, "--token-file", &token_file][..],
            &["--redis", &redis_url, "--origin", &origin_url],
        ]
        .concat(),
    );
    let replica_url = format!("http://{replica_at}");
    up(&origin_url).await;
    up(&replica_url).await;
    assert_eq!(get(&format!("{replica_url}/items/1")).await.status, 503, "no strategy runs yet");
    let control = |at: &str| ControlClient::new(&format!("http://{at}"), Some(token.clone()));
    control(&origin_control).post::<()>("/start", &settings(5, 4)).await.unwrap();
    let start = start("naive");
    control(&replica_control).post::<()>("/start", &start).await.unwrap();
    for expected in ["lab; fwd=miss; stored", "lab; hit; ttl=4"] {
        assert_eq!(get(&format!("{replica_url}/items/1")).await.header("cache-status"), expected);
    }
    let identity: Identity = control(&replica_control).get("/identity").await.unwrap();
    for at in [&origin_control, &replica_control] {
        let url = format!("http://{at}/identity");
        assert_eq!(get(&url).await.status, 401, "{at}");
        let from_a_page =
            Request::get(&url).header("origin", "https://evil.example").header("authorization", token.bearer());
        assert_eq!(request(from_a_page.body(Empty::<Bytes>::new()).unwrap()).await.status, 403, "{at}");
    }
    // What anybody on this machine may read: counts by names that are the program's own.
    for at in [&origin_at, &replica_at] {
        let text = get(&format!("http://{at}/metrics")).await.body;
        assert!(text.contains("stampede_"), "{text}");
        for word in ["a token of some length", "key=\"", "run:naive", &redis_url] {
            assert!(!text.contains(word), "{word:?} in {text}");
        }
    }
    let ledger: Vec<OriginRead> = control(&origin_control).get("/ledger").await.unwrap();
    assert!(ledger[0].flight.starts_with(&identity.incarnation));
    ends_well(replica);
    ends_well(origin);
}

#[tokio::test]
async fn without_control_there_is_one_listener_and_it_obeys_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("origin.sqlite").display().to_string();
    let at = format!("127.0.0.1:{}", free_port());
    let origin = spawn(env!("CARGO_BIN_EXE_origin"), &["--listen", &at, "--database", &database]);
    up(&format!("http://{at}")).await;
    for path in ["identity", "ledger", "start"] {
        assert_eq!(get(&format!("http://{at}/{path}")).await.status, 404, "{path}");
    }
    // Its listeners, as Linux tells them (proc(5)): state 0A in the table of its own network, by the inodes that it holds.
    let held: Vec<String> = std::fs::read_dir(format!("/proc/{}/fd", origin.id()))
        .unwrap()
        .filter_map(|fd| Some(std::fs::read_link(fd.ok()?.path()).ok()?.display().to_string()))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listening = table.lines().filter(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(3) == Some(&"0A") && fields.get(9).is_some_and(|inode| held.iter().any(|held| held == inode))
    });
    assert_eq!(listening.count(), 1);
    ends_well(origin);
}

#[test]
fn what_cannot_be_is_said_and_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "SeCrEt7").unwrap();
    let short = short.display().to_string();
    let database = folder.path().join("x.sqlite").display().to_string();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let app = env!("CARGO_BIN_EXE_app");
    for (program, args, words) in [
        (env!("CARGO_BIN_EXE_app"), vec!["--redis", "nonsense"], "redis://HOST:PORT"),
        (env!("CARGO_BIN_EXE_app"), vec!["--origin", "ftp://x"], "not of the form http://HOST:PORT"),
        (env!("CARGO_BIN_EXE_app"), vec!["--control", "127.0.0.1:0"], "--token-file"),
        (
            env!("CARGO_BIN_EXE_app"),
            vec!["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token-file", &short],
            "at least 16 are needed",
        ),
        (env!("CARGO_BIN_EXE_app"), vec!["--listen", &taken], "is another program on it?"),
        (env!("CARGO_BIN_EXE_origin"), vec!["--listen", &taken, "--database", &database], "is another program on it?"),
        // A file is in the way, so that not even root can have made the folder.
        (env!("CARGO_BIN_EXE_origin"), vec!["--database", "/dev/null/x.sqlite"], "/dev/null/x.sqlite"),
        // TLS: each setting is named with what was found, and nothing that a file holds.
        (
            app,
            vec!["--redis", "rediss://127.0.0.1:1", "--redis-ca", "/nowhere/ca.crt"],
            "/nowhere/ca.crt: No such file",
        ),
        (
            app,
            vec!["--redis", "rediss://127.0.0.1:1", "--redis-ca", &short],
            "no certificate in PEM; name a file with -----BEGIN",
        ),
        (app, vec!["--redis", "redis://127.0.0.1:1", "--redis-ca", &short], "it has no TLS; write rediss://HOST:PORT"),
        (app, vec!["--redis", "rediss://127.0.0.1:1", "--redis-cert", &short], "--redis-key"),
        (
            app,
            vec!["--redis", "rediss://127.0.0.1:1", "--redis-name", "no name"],
            "no name that a certificate can have",
        ),
    ] {
        let output = ends_by_itself(program, &args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{args:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("SeCrEt7"), "{said}");
    }
}

/// A replica that is told by its environment, as a container is.
#[tokio::test]
async fn a_replica_reaches_an_encrypted_redis_by_its_environment() {
    let Some(redis) = EncryptedRedis::start(&["--requirepass", "SeCrEt7"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (token_file, password) = (folder.path().join("token"), folder.path().join("password"));
    std::fs::write(&token_file, "a token of some length\n").unwrap();
    std::fs::write(&password, "SeCrEt7\n").unwrap();
    let [listen, control] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let file = |name: &str| redis.certificates.file(name);
    let replica = Command::new(env!("CARGO_BIN_EXE_app"))
        .env("LAB_LISTEN", &listen)
        .env("LAB_CONTROL", &control)
        .env("LAB_TOKEN_FILE", &token_file)
        .env("LAB_REDIS", format!("rediss://default@127.0.0.1:{}", redis.port))
        .env("LAB_REDIS_PASSWORD_FILE", &password)
        .env("LAB_REDIS_CA", file("ca.crt"))
        .env("LAB_REDIS_CERT", file("client.crt"))
        .env("LAB_REDIS_KEY", file("client.key"))
        .env("LAB_REDIS_NAME", "redis.example")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    up(&format!("http://{listen}")).await;
    let token = ControlToken::given("a token of some length").unwrap();
    let status: CacheStatus =
        ControlClient::new(&format!("http://{control}"), Some(token)).get("/cache").await.unwrap();
    assert!(status.server.starts_with("redis "), "{status:?}");
    // Whoever lists this machine's processes sees names of files.
    for of in ["cmdline", "environ"] {
        let seen = std::fs::read(format!("/proc/{}/{of}", replica.id())).unwrap();
        assert!(!String::from_utf8_lossy(&seen).contains("SeCrEt7"), "{of}");
    }
    ends_well(replica);
}
