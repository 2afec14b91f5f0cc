//! Servers elsewhere, in containers of their own, that are to become a cluster.

use std::net::{IpAddr, ToSocketAddrs as _};

use redis::{ConnectionAddr, ConnectionInfo};

use super::form::{Member, form, is_begun, is_formed, mend};
use super::node::{ask, wait};
use crate::cache::redis_cache::RedisAddress;

/// From a server's port to the one on which a cluster's nodes speak with one another, where nothing else is set.
const TO_BUS: u16 = 10_000;

/// A server, and where the others reach it.
struct ServerElsewhere {
    info: ConnectionInfo,
    ip: IpAddr,
    port: u16,
}

impl Member for ServerElsewhere {
    fn ask(&self, words: &[&str]) -> Result<String, String> {
        ask(self.info.clone(), words)
    }

    fn place(&self) -> (String, u16, u16) {
        (self.ip.to_string(), self.port, self.port.saturating_add(TO_BUS))
    }
}

/// Makes one cluster of all servers that the address names, the first half of them primaries. It waits until each answers; where they are one
/// already there is nothing to do, and nodes that were started anew are taken in as replicas. It blocks.
///
/// # Errors
/// A sentence: what of the address cannot be used, or what did not come about, and the remedy.
pub fn form_cluster(of: &RedisAddress) -> Result<(), String> {
    let all = of.nodes().map_err(|flaw| flaw.to_string())?;
    if all.len() < 2 || all.len() % 2 == 1 {
        return Err(format!("each primary has a replica: found {} nodes, needed an even number of them", all.len()));
    }
    let nodes = all.into_iter().map(found).collect::<Result<Vec<_>, _>>()?;
    if is_formed(&nodes)? {
        return Ok(());
    }
    let done = if is_begun(&nodes)? { mend(&nodes) } else { form(&nodes, nodes.len() / 2) };
    done.map_err(|why| {
        format!(
            "{why} · start all nodes anew: docker compose --env-file docker/cluster.env up -d --force-recreate --wait"
        )
    })
}

/// A server that answers.
fn found(info: ConnectionInfo) -> Result<ServerElsewhere, String> {
    let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return Err("a node is reached by TCP".into()) };
    wait(&format!("{host} answers"), || ask(info.clone(), &["PING"]).map(|_| true))?;
    let mut resolved = (host.as_str(), port).to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    let ip = resolved.next().ok_or_else(|| format!("{host} has no address"))?.ip();
    Ok(ServerElsewhere { info, ip, port })
}
