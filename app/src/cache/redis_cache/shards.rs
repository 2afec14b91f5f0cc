//! What each node of a cluster did: how many commands, how much processor time, and how often it sent a client elsewhere. It only asks.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use strategies::port::ConnectionLimits;

use super::address::{AddressFlaw, RedisAddress};
use super::error::sentence;
use super::link::RedisLink;

/// Commands that are no load: what nodes say to one another, and what asks them about themselves.
const NO_LOAD: [&str; 12] = [
    "info", "cluster", "ping", "replconf", "psync", "hello", "client", "auth", "command", "config", "latency",
    "slowlog",
];
/// Nodes at most: a cluster has a thousand.
const NODES_MAX: usize = 1000;

/// Connections that ask a cluster's nodes about themselves.
pub struct ClusterWatch {
    seeds: Vec<RedisAddress>,
    nodes: BTreeMap<String, RedisLink>,
}

/// What one node told. Counts are since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardSample {
    /// `host:port`.
    pub node: String,
    /// Whether it is a primary.
    pub primary: bool,
    /// Slots that it serves.
    pub slots: u32,
    /// Commands of clients, those of scripts included.
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

/// Of a line of CLUSTER NODES what is needed.
struct Known {
    node: String,
    primary: bool,
    slots: u32,
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
            if !self.nodes.contains_key(&of.node) {
                let link = RedisLink::new(&self.seeds[0].of_node(&of.node), ConnectionLimits::USUAL)
                    .map_err(|flaw| flaw.to_string())?;
                self.nodes.insert(of.node.clone(), link);
            }
        }
        let asked = known.iter().filter_map(|of| {
            let mut link = self.nodes.get(&of.node)?.clone();
            Some(async move {
                let info: Option<String> = redis::cmd("INFO").arg("all").query_async(&mut link).await.ok();
                Some(sample(of, &info?))
            })
        });
        Ok(join_all(asked).await.into_iter().flatten().collect())
    }

    async fn known(&mut self) -> Result<Vec<Known>, String> {
        let mut last = String::new();
        for at in 0..self.seeds.len() {
            let link = RedisLink::new(&self.seeds[0], ConnectionLimits::USUAL).map_err(|flaw| flaw.to_string())?;
            // One connection to whichever answers is kept.
            let mut link = self.nodes.entry(format!("seed {}", self.seeds[0].url)).or_insert(link).clone();
            let said: redis::RedisResult<String> = redis::cmd("CLUSTER").arg("NODES").query_async(&mut link).await;
            match said {
                Ok(lines) => return Ok(lines.lines().take(NODES_MAX).filter_map(read_node).collect()),
                Err(error) => last = sentence(&error),
            }
            if at + 1 < self.seeds.len() {
                self.seeds.rotate_left(1);
            }
        }
        Err(last)
    }
}

/// `ID IP:PORT@BUS[,NAME] FLAGS …`, and its slots from the ninth word on. Nodes that are gone, or that nobody knows yet, are left out.
fn read_node(line: &str) -> Option<Known> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, flags) = (words.get(1)?.split(['@', ',']).next()?, words.get(2)?);
    let is = |flag: &str| flags.split(',').any(|one| one == flag);
    if address.is_empty() || ["fail", "noaddr", "handshake"].iter().any(|flag| is(flag)) {
        return None;
    }
    // `[slot->-node]` is one on its way.
    let spans = words.get(8..).unwrap_or_default().iter().filter(|word| !word.starts_with('['));
    let count = |span: &str| {
        let (from, to) = span.split_once('-').unwrap_or((span, span));
        Some((to.parse::<u32>().ok()?.checked_sub(from.parse().ok()?)?).min(16_383) + 1)
    };
    Some(Known { node: address.to_owned(), primary: is("master"), slots: spans.filter_map(|span| count(span)).sum() })
}

fn sample(of: &Known, info: &str) -> ShardSample {
    let mut sample =
        ShardSample { node: of.node.clone(), primary: of.primary, slots: of.slots, ..ShardSample::default() };
    for (name, value) in info.lines().filter_map(|line| line.trim().split_once(':')) {
        let field = |of: &str| value.split(',').find_map(|part| part.strip_prefix(of)?.strip_prefix('=')?.parse().ok());
        let seconds = || value.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0).unwrap_or(0.0);
        if let Some(command) = name.strip_prefix("cmdstat_") {
            let whole = command.split('|').next().unwrap_or_default();
            if !NO_LOAD.contains(&whole) {
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
    fn a_node_s_line_is_read_and_who_is_gone_is_left_out() {
        let of = |line: &str| read_node(line).map(|of| (of.node, of.primary, of.slots));
        let id = "07c37dfeb235213a872192d90877d0cd55635b91";
        let line = format!(
            "{id} 127.0.0.1:30004@31004,name myself,master - 0 1426238317239 4 connected 0-5460 7000 [93->-{id}]"
        );
        assert_eq!(of(&line), Some(("127.0.0.1:30004".into(), true, 5462)));
        let line = format!("{id} 127.0.0.1:30005@31005 slave {id} 0 1426238316232 5 connected");
        assert_eq!(of(&line), Some(("127.0.0.1:30005".into(), false, 0)));
        for flags in ["master,fail", "noaddr,slave", "handshake"] {
            assert_eq!(of(&format!("{id} 127.0.0.1:1@2 {flags} - 0 0 0 connected 5")), None, "{flags}");
        }
        assert_eq!(of("nonsense"), None);
        assert_eq!(of(&format!("{id} h:1@2 master - 0 0 1 connected 9-3 x-y 5")), Some(("h:1".into(), true, 1)));
    }

    #[test]
    fn what_is_no_load_is_not_counted() {
        let of = Known { node: "h:1".into(), primary: true, slots: 3 };
        let info = "cmdstat_get:calls=7,usec=3\r\ncmdstat_info:calls=9,usec=1\r\ncmdstat_cluster|nodes:calls=4,usec=2\r\n\
                    cmdstat_set:calls=x\r\nerrorstat_MOVED:count=5\r\nused_cpu_sys:0.5\r\nused_cpu_user:0.25\r\nused_cpu_user:nan";
        let said = sample(&of, info);
        assert_eq!((said.operations, said.moved, said.cpu_us), (7, 5, 750_000));
    }
}
