//! A private cluster: servers of our own on loopback ports, joined, each primary with its replica. None of them outlives its parent (see
//! [`PrivateRedis`]).

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::redis_cache::RedisAddress;
use super::redis_server::PrivateRedis;

/// Slots of a cluster.
const SLOTS: u32 = 16_384;
/// How long its nodes may take to agree.
const AGREE_BUDGET: Duration = Duration::from_secs(30);
/// How long one command may take.
const COMMAND_BUDGET: Duration = Duration::from_secs(5);
/// Ports that a node may have. They lie below those that the system gives to connections, so that none is taken meanwhile.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
/// How often a node whose port another program took first is started anew.
const TRIES: u32 = 5;

/// A running cluster. Dropping it ends its nodes.
pub struct PrivateCluster {
    nodes: Vec<ClusterNode>,
}

/// A node: its server, its port, and the one on which nodes speak with one another.
struct ClusterNode {
    server: PrivateRedis,
    port: u16,
    bus: u16,
}

impl PrivateCluster {
    /// Starts so many primaries with as many replicas, shares the slots out, and waits until all agree. `extra` are further settings of
    /// each node, as on its command line.
    ///
    /// # Errors
    /// A sentence: which part did not come up, and why.
    pub fn start(server: &Path, primaries: u16, node_timeout: Duration, extra: &[&str]) -> Result<Self, String> {
        let nodes = (0..2 * primaries).map(|_| start_node(server, node_timeout, extra)).collect::<Result<_, _>>()?;
        let cluster = Self { nodes };
        cluster.join(primaries)?;
        Ok(cluster)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        let mut urls = self.nodes.iter().map(|node| format!("redis://127.0.0.1:{}", node.port));
        let first = urls.next().unwrap_or_default();
        RedisAddress { others: urls.collect(), ..RedisAddress::from(first) }
    }

    /// Its nodes, the primaries that it began with first, each with its port.
    pub fn nodes(&self) -> impl Iterator<Item = (&PrivateRedis, u16)> {
        self.nodes.iter().map(|node| (&node.server, node.port))
    }

    fn join(&self, primaries: u16) -> Result<(), String> {
        let of = u32::from(primaries);
        for (ClusterNode { server: node, .. }, at) in self.nodes.iter().zip(0_u32..) {
            if at < of {
                let (from, to) = (SLOTS * at / of, SLOTS * (at + 1) / of - 1);
                ask(node, &["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()])?;
            }
            // Told apart from the start, epochs need not be settled between the nodes. This must come before they know one another.
            ask(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()])?;
        }
        if let [first, others @ ..] = &self.nodes[..] {
            let (port, bus) = (first.port.to_string(), first.bus.to_string());
            for node in others {
                ask(&node.server, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
            }
        }
        self.until("all nodes know one another", |node| {
            let known = ask(node, &["CLUSTER", "NODES"])?;
            Ok(known.lines().filter(|line| !line.contains("handshake")).count() == self.nodes.len())
        })?;
        let (leaders, followers) = self.nodes.split_at(usize::from(primaries));
        for (leader, follower) in leaders.iter().zip(followers) {
            let id = ask(&leader.server, &["CLUSTER", "MYID"])?;
            ask(&follower.server, &["CLUSTER", "REPLICATE", id.trim()])?;
        }
        self.until("every slot is served", |node| Ok(ask(node, &["CLUSTER", "INFO"])?.contains("cluster_state:ok")))?;
        for ClusterNode { server: follower, .. } in followers {
            wait("every replica has its primary's data", || {
                Ok(ask(follower, &["INFO", "replication"])?.contains("master_link_status:up"))
            })?;
        }
        self.until("all know who follows whom", |node| {
            let known = ask(node, &["CLUSTER", "NODES"])?;
            Ok(known.lines().filter(|line| line.contains("slave")).count() == usize::from(primaries))
        })
    }

    fn until(&self, what: &str, is: impl Fn(&PrivateRedis) -> Result<bool, String>) -> Result<(), String> {
        self.nodes.iter().try_for_each(|node| wait(what, || is(&node.server)))
    }
}

fn wait(what: &str, is: impl Fn() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !is()? {
        if begun.elapsed() > AGREE_BUDGET {
            return Err(format!("the cluster did not come up within {AGREE_BUDGET:?}: it is not yet so that {what}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// One node on a port of its own. Its socket's file is for our own commands.
fn start_node(server: &Path, node_timeout: Duration, extra: &[&str]) -> Result<ClusterNode, String> {
    let timeout = node_timeout.as_millis().to_string();
    let mut last = String::new();
    for _ in 0..TRIES {
        let (port, bus) = (free_port()?, free_port()?);
        let (port_text, bus_text) = (port.to_string(), bus.to_string());
        let ours = [
            ["--port", &port_text],
            ["--cluster-port", &bus_text],
            ["--bind", "127.0.0.1"],
            ["--cluster-enabled", "yes"],
            ["--cluster-node-timeout", &timeout],
            ["--repl-diskless-sync-delay", "0"],
        ];
        match PrivateRedis::start(server, &[ours.as_flattened(), extra].concat()) {
            Ok(server) => return Ok(ClusterNode { server, port, bus }),
            Err(why) if why.contains("Address already in use") => last = why,
            Err(why) => return Err(why),
        }
    }
    Err(last)
}

/// A port that nobody has, and that no other node of this process is about to have. Another process may take it first.
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
    Err("no free port on loopback for a node of the cluster".into())
}

/// One command, and its answer as text.
fn ask(node: &PrivateRedis, words: &[&str]) -> Result<String, String> {
    let said = || {
        let client = redis::Client::open(node.url())?;
        let mut connection = client.get_connection_with_timeout(COMMAND_BUDGET)?;
        connection.set_read_timeout(Some(COMMAND_BUDGET))?;
        redis::cmd(words[0]).arg(&words[1..]).query::<String>(&mut connection)
    };
    said().map_err(|error: redis::RedisError| format!("{}: {error}", words.join(" ")))
}
