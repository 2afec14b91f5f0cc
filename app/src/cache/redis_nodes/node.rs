//! A server of our own on a loopback port, which others can reach.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::cache::redis_server::PrivateRedis;

/// How long servers may take to agree.
const AGREE_BUDGET: Duration = Duration::from_secs(30);
/// How long one command may take.
const COMMAND_BUDGET: Duration = Duration::from_secs(5);
/// Ports that a server may have. They lie below those that the system gives to connections, so that none is taken meanwhile.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
/// How often a server whose port another program took first is started anew.
const TRIES: u32 = 5;

/// What a server is started as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    ClusterNode,
    Sentinel,
}

/// A server, its port, and the one on which a cluster's nodes speak with one another. Its socket's file is for our own commands.
pub(super) struct PrivateNode {
    pub(super) server: PrivateRedis,
    pub(super) port: u16,
    pub(super) bus: u16,
}

impl PrivateNode {
    pub(super) fn start(program: &Path, role: Role, extra: &[&str]) -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match Self::start_at(program, role, (free_port()?, free_port()?), extra) {
                Err(why) if why.contains("Address already in use") => last = why,
                started => return started,
            }
        }
        Err(last)
    }

    /// Another one in its place, on the same ports.
    pub(super) fn start_anew(&mut self, program: &Path, role: Role, extra: &[&str]) -> Result<(), String> {
        *self = Self::start_at(program, role, (self.port, self.bus), extra)?;
        Ok(())
    }

    fn start_at(program: &Path, role: Role, (port, bus): (u16, u16), extra: &[&str]) -> Result<Self, String> {
        let (port_text, bus_text) = (port.to_string(), bus.to_string());
        let ours = ["--port", &port_text, "--bind", "127.0.0.1"];
        let of_cluster = ["--cluster-port", &bus_text, "--cluster-enabled", "yes"];
        let of_role = if role == Role::ClusterNode { &of_cluster[..] } else { &[] };
        let all = [&ours[..], of_role, extra].concat();
        let server = match role {
            Role::Sentinel => PrivateRedis::start_sentinel(program, &all)?,
            Role::Server | Role::ClusterNode => PrivateRedis::start(program, &all)?,
        };
        Ok(Self { server, port, bus })
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// One command, and its answer as text; the words of a list one a line.
    pub(super) fn ask(&self, words: &[&str]) -> Result<String, String> {
        ask(self.server.url(), words)
    }
}

/// One command to a server, and its answer as text; the words of a list one a line.
pub(super) fn ask(server: impl redis::IntoConnectionInfo, words: &[&str]) -> Result<String, String> {
    let said = || {
        let client = redis::Client::open(server)?;
        let mut connection = client.get_connection_with_timeout(COMMAND_BUDGET)?;
        connection.set_read_timeout(Some(COMMAND_BUDGET))?;
        redis::cmd(words[0]).arg(&words[1..]).query::<redis::Value>(&mut connection)
    };
    let said = said().map_err(|error: redis::RedisError| format!("{}: {error}", words.join(" ")))?;
    Ok(text(said))
}

fn text(value: redis::Value) -> String {
    match value {
        redis::Value::Array(words) => words.into_iter().map(text).collect::<Vec<_>>().join("\n"),
        value => redis::from_redis_value(value).unwrap_or_default(),
    }
}

/// Asks until it is so. A server that does not answer now (one that is being given another role ends its connections) may the next time.
pub(super) fn wait(what: &str, is: impl Fn() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let said = is();
        if matches!(said, Ok(true)) {
            return Ok(());
        }
        if begun.elapsed() > AGREE_BUDGET {
            let why = said.err().map(|why| format!(" ({why})")).unwrap_or_default();
            return Err(format!(
                "the servers did not agree within {AGREE_BUDGET:?}: it is not yet so that {what}{why}"
            ));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A port that nobody has, and that no other server of this process is about to have. Another process may take it first.
fn free_port() -> Result<u16, String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (span, begin) = (u32::from(PORTS.end - PORTS.start), std::process::id().wrapping_mul(131));
    for _ in 0..span {
        let at = begin.wrapping_add(NEXT.fetch_add(1, Relaxed)) % span;
        let port = PORTS.start + u16::try_from(at).unwrap_or(0);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port on loopback for another server".into())
}
