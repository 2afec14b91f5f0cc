//! A private cluster: servers of our own on loopback ports, joined, each primary with its replica. None of them outlives its parent (see
//! [`PrivateRedis`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::form::{self, Member};
use super::node::{PrivateNode, Role};
use crate::cache::redis_cache::{KnownNode, RedisAddress, moving_at_once, read_all_nodes};
use crate::cache::redis_server::PrivateRedis;

/// A running cluster. Dropping it ends its nodes.
pub struct PrivateCluster {
    program: PathBuf,
    settings: Vec<String>,
    nodes: Vec<PrivateNode>,
}

impl Member for PrivateNode {
    fn ask(&self, words: &[&str]) -> Result<String, String> {
        Self::ask(self, words)
    }

    fn place(&self) -> (String, u16, u16) {
        ("127.0.0.1".to_owned(), self.port, self.bus)
    }
}

impl PrivateCluster {
    /// Starts so many primaries with as many replicas, shares the slots out, and waits until all agree. A node that has not answered for
    /// `node_timeout` is taken for dead. `extra` are further settings of each node, as on its command line.
    ///
    /// # Errors
    /// A sentence: which part did not come up, and why.
    pub fn start(program: &Path, primaries: u16, node_timeout: Duration, extra: &[&str]) -> Result<Self, String> {
        let timeout = node_timeout.as_millis().to_string();
        let ours =
            ["--cluster-node-timeout", &timeout, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
        let settings = ours.iter().chain(extra).map(|&word| word.to_owned()).collect();
        let mut cluster = Self { program: program.to_owned(), settings, nodes: Vec::new() };
        for _ in 0..2 * primaries {
            cluster.nodes.push(cluster.another()?);
        }
        form::form(&cluster.nodes, primaries.into())?;
        Ok(cluster)
    }

    fn another(&self) -> Result<PrivateNode, String> {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        PrivateNode::start(&self.program, Role::ClusterNode, &settings)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        let mut urls = self.nodes.iter().map(PrivateNode::url);
        let first = urls.next().unwrap_or_default();
        RedisAddress { others: urls.collect(), ..RedisAddress::from(first) }
    }

    /// Its nodes, each with its port; after [`PrivateCluster::start`] the primaries first.
    pub fn nodes(&self) -> impl Iterator<Item = (&PrivateRedis, u16)> {
        self.nodes.iter().map(|node| (&node.server, node.port))
    }

    /// What a server calls itself that cannot move slots all at once; `None` where it can.
    ///
    /// # Errors
    /// A sentence where no node says.
    pub fn cannot_move_at_once(&self) -> Result<Option<String>, String> {
        let first = self.nodes.first().ok_or("there is no node")?;
        Ok(moving_at_once(&first.ask(&["INFO", "server"])?).err())
    }

    /// The primary that has a slot, as the others see it.
    ///
    /// # Errors
    /// A sentence where no node says.
    pub fn primary_of(&self, slot: u16) -> Result<&PrivateRedis, String> {
        let seen = self.seen()?;
        let has = seen.iter().find(|known| known.has(slot));
        let node = has.and_then(|known| self.nodes.iter().find(|node| is_at(known, node.port)));
        node.map(|node| &node.server).ok_or_else(|| format!("no node serves slot {slot}"))
    }

    /// Starts new nodes for those that have ended, as replicas of the primaries that lack one, and waits until all agree.
    ///
    /// # Errors
    /// A sentence: what did not come about.
    pub fn mend(&mut self) -> Result<(), String> {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        for node in self.nodes.iter_mut().filter(|node| node.server.has_ended()) {
            node.start_anew(&self.program, Role::ClusterNode, &settings)?;
        }
        form::mend(&self.nodes)
    }

    /// The nodes as the first of them sees them that answers.
    fn seen(&self) -> Result<Vec<KnownNode>, String> {
        let mut last = "there is no node".to_owned();
        for node in self.nodes.iter().filter(|node| !node.server.has_ended()) {
            match self.seen_by(node) {
                Ok(seen) => return Ok(seen),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn seen_by(&self, node: &PrivateNode) -> Result<Vec<KnownNode>, String> {
        Ok(read_all_nodes(&node.ask(&["CLUSTER", "NODES"])?))
    }
}

/// Whether a node is at a port of ours.
fn is_at(known: &KnownNode, port: u16) -> bool {
    known.address.rsplit_once(':').is_some_and(|(_, at)| at.parse() == Ok(port))
}
