//! What each node of a cluster did: how many commands, how much processor time, and how often it sent a client elsewhere. It only asks.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use strategies::port::ConnectionLimits;

use super::address::{AddressFlaw, RedisAddress};
use super::error::sentence;
use super::link::RedisLink;
use super::topology::{KnownNode, read_nodes};

/// Commands that are no load: what nodes say to one another, and what asks them about themselves.
const NO_LOAD: [&str; 12] = [
    "info", "cluster", "ping", "replconf", "psync", "hello", "client", "auth", "command", "config", "latency",
    "slowlog",
];
/// Commands that a client may ask a replica for; whatever else a replica carries out its primary told it.
const READS: [&str; 2] = ["get", "mget"];

/// Connections that ask a cluster's nodes about themselves.
pub struct ClusterWatch {
    seeds: Vec<RedisAddress>,
    nodes: BTreeMap<String, RedisLink>,
}

/// What one node told. Counts are since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSample {
    /// `host:port`.
    pub node: String,
    /// Whether it is a primary.
    pub primary: bool,
    /// Slots that it serves.
    pub slots: u32,
    /// Commands of clients, those of scripts included; of a replica the reads that it answered.
    pub operations: u64,
    /// Processor time, microseconds.
    pub cpu_us: u64,
    /// `MOVED`, which it answered: the slot is another's (Redis 6.2 and later).
    pub moved: u64,
    /// `ASK`: the slot is on its way, and the key is there already.
    pub ask: u64,
    /// `TRYAGAIN`: the slot is on its way, and of several keys some are there.
    pub try_again: u64,
}

impl ClusterWatch {
    /// Of the cluster at an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: &RedisAddress) -> Result<Self, AddressFlaw> {
        to.check()?;
        let urls = std::iter::once(&to.url).chain(&to.others);
        let seeds = urls.map(|url| RedisAddress { url: url.clone(), others: Vec::new(), ..to.clone() }).collect();
        Ok(Self { seeds, nodes: BTreeMap::new() })
    }

    /// Asks every node that the cluster knows and that answers.
    ///
    /// # Errors
    /// A sentence where none of them says who belongs to it.
    pub async fn ask(&mut self) -> Result<Vec<ShardSample>, String> {
        let known = self.known().await?;
        for of in &known {
            if !self.nodes.contains_key(&of.address) {
                let link = RedisLink::new(&self.seeds[0].of_node(&of.address), ConnectionLimits::USUAL)
                    .map_err(|flaw| flaw.to_string())?;
                self.nodes.insert(of.address.clone(), link);
            }
        }
        let asked = known.iter().filter_map(|of| {
            let mut link = self.nodes.get(&of.address)?.clone();
            Some(async move {
                let info: Option<String> = redis::cmd("INFO").arg("all").query_async(&mut link).await.ok();
                Some(sample(of, &info?))
            })
        });
        Ok(join_all(asked).await.into_iter().flatten().collect())
    }

    async fn known(&mut self) -> Result<Vec<KnownNode>, String> {
        let mut last = String::new();
        for at in 0..self.seeds.len() {
            let link = RedisLink::new(&self.seeds[0], ConnectionLimits::USUAL).map_err(|flaw| flaw.to_string())?;
            // One connection to whichever answers is kept.
            let mut link = self.nodes.entry(format!("seed {}", self.seeds[0].url)).or_insert(link).clone();
            let said: redis::RedisResult<String> = redis::cmd("CLUSTER").arg("NODES").query_async(&mut link).await;
            match said {
                Ok(answer) => return Ok(read_nodes(&answer)),
                Err(error) => last = sentence(&error),
            }
            if at + 1 < self.seeds.len() {
                self.seeds.rotate_left(1);
            }
        }
        Err(last)
    }
}

fn sample(of: &KnownNode, info: &str) -> ShardSample {
    let mut sample =
        ShardSample { node: of.address.clone(), primary: of.primary, slots: of.count(), ..ShardSample::default() };
    for (name, value) in info.lines().filter_map(|line| line.trim().split_once(':')) {
        let field = |of: &str| value.split(',').find_map(|part| part.strip_prefix(of)?.strip_prefix('=')?.parse().ok());
        let seconds = || value.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0).unwrap_or(0.0);
        if let Some(command) = name.strip_prefix("cmdstat_") {
            let whole = command.split('|').next().unwrap_or_default();
            if if of.primary { !NO_LOAD.contains(&whole) } else { READS.contains(&whole) } {
                sample.operations = sample.operations.saturating_add(field("calls").unwrap_or(0));
            }
        }
        match name {
            "used_cpu_sys" | "used_cpu_user" => sample.cpu_us += (seconds() * 1e6) as u64,
            "errorstat_MOVED" => sample.moved = field("count").unwrap_or(0),
            "errorstat_ASK" => sample.ask = field("count").unwrap_or(0),
            "errorstat_TRYAGAIN" => sample.try_again = field("count").unwrap_or(0),
            _ => {}
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_load_is_not_counted() {
        let of = read_nodes("x h:1@2 master - 0 0 1 connected 0-2").remove(0);
        let info = "cmdstat_get:calls=7,usec=3\r\ncmdstat_info:calls=9,usec=1\r\ncmdstat_cluster|nodes:calls=4,usec=2\r\n\
                    cmdstat_set:calls=x\r\nerrorstat_MOVED:count=5\r\nused_cpu_sys:0.5\r\nused_cpu_user:0.25\r\nused_cpu_user:nan";
        let said = sample(&of, info);
        assert_eq!((said.operations, said.moved, said.cpu_us), (7, 5, 750_000));
        let replica = read_nodes("x h:1@2 slave y 0 0 1 connected").remove(0);
        assert_eq!(sample(&replica, "cmdstat_get:calls=7,usec=3\r\ncmdstat_set:calls=9,usec=1").operations, 7);
    }
}
