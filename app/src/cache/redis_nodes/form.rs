//! How servers that know nothing of one another become a cluster.

use super::node::wait;
use crate::cache::redis_cache::{KnownNode, read_all_nodes};

/// Slots of a cluster.
const SLOTS: usize = 16_384;

/// A server that is, or is to be, a cluster's.
pub(super) trait Member {
    /// One command, and its answer as text; the words of a list one a line.
    fn ask(&self, words: &[&str]) -> Result<String, String>;

    /// Where the others reach it: its IP address, its port, and the one on which nodes speak with one another.
    fn place(&self) -> (String, u16, u16);
}

/// Shares the slots out among the first `primaries`, gives each of them one of the others as its replica, in turns, and waits until all agree.
///
/// # Errors
/// A sentence: what did not come about.
pub(super) fn form<M: Member>(nodes: &[M], primaries: usize) -> Result<(), String> {
    for (at, node) in nodes.iter().enumerate() {
        if at < primaries {
            let (from, to) = (SLOTS * at / primaries, SLOTS * (at + 1) / primaries - 1);
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()])?;
        }
        // Told apart from the start, epochs need not be settled between the nodes. This must come before they know one another.
        node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()])?;
    }
    if let [first, others @ ..] = nodes {
        others.iter().try_for_each(|node| meet(node, first))?;
    }
    until_all_are_known(nodes)?;
    let (leaders, followers) = nodes.split_at(primaries);
    for (leader, follower) in leaders.iter().cycle().zip(followers) {
        follow(follower, id(leader)?.trim())?;
    }
    until_all_follow(nodes)
}

/// Whether these are one whole cluster already.
pub(super) fn is_formed<M: Member>(nodes: &[M]) -> Result<bool, String> {
    for node in nodes {
        if !is_whole(node)? || node.ask(&["CLUSTER", "NODES"])?.lines().count() != nodes.len() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes nodes in that were started anew, in the places of those that they were: each becomes the replica of a primary that lacks one. Waits until
/// every slot is served without them, and at the end until all agree.
///
/// # Errors
/// A sentence: what did not come about.
pub(super) fn mend<M: Member>(nodes: &[M]) -> Result<(), String> {
    let (mut members, mut fresh) = (Vec::new(), Vec::new());
    for node in nodes {
        let alone = node.ask(&["CLUSTER", "NODES"])?.lines().count() == 1;
        if alone { fresh.push(node) } else { members.push(node) }
    }
    let first = *members.first().ok_or("no node is left")?;
    members.iter().try_for_each(|node| wait("every slot is served", || is_whole(*node)))?;
    let ids = nodes.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let seen = || Ok::<_, String>(read_all_nodes(&first.ask(&["CLUSTER", "NODES"])?));
    for gone in seen()?.iter().filter(|known| !ids.iter().any(|id| id.trim() == known.id)) {
        for node in &members {
            // One that has forgotten it already says so.
            let _ = node.ask(&["CLUSTER", "FORGET", &gone.id]);
        }
    }
    fresh.iter().try_for_each(|node| meet(*node, first))?;
    until_all_are_known(nodes)?;
    for node in fresh {
        let seen = seen()?;
        let lacks = |primary: &&KnownNode| {
            let is_followed = seen.iter().any(|node| node.follows.as_ref() == Some(&primary.id));
            primary.follows.is_none() && !primary.slots.is_empty() && !is_followed
        };
        let primary = seen.iter().find(lacks).ok_or("no primary lacks a replica")?;
        follow(node, &primary.id)?;
    }
    until_all_follow(nodes)
}

/// Whether any of these knows another.
pub(super) fn is_begun<M: Member>(nodes: &[M]) -> Result<bool, String> {
    for node in nodes {
        if node.ask(&["CLUSTER", "NODES"])?.lines().count() > 1 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a node known to another, and with time to all that it knows.
fn meet<M: Member>(node: &M, other: &M) -> Result<(), String> {
    let (host, port, bus) = other.place();
    node.ask(&["CLUSTER", "MEET", &host, &port.to_string(), &bus.to_string()]).map(drop)
}

/// Makes a node the replica of a primary, as soon as it knows that one.
fn follow<M: Member>(follower: &M, primary: &str) -> Result<(), String> {
    wait("a replica knows its primary", || {
        Ok(follower.ask(&["CLUSTER", "NODES"])?.lines().any(|line| line.starts_with(primary)))
    })?;
    follower.ask(&["CLUSTER", "REPLICATE", primary]).map(drop)
}

fn until_all_are_known<M: Member>(nodes: &[M]) -> Result<(), String> {
    until(nodes, "all nodes know one another", |node| {
        let known = node.ask(&["CLUSTER", "NODES"])?;
        let known = known.lines().filter(|line| !line.contains("handshake") && !line.contains("fail"));
        Ok(known.count() == nodes.len())
    })
}

fn until_all_follow<M: Member>(nodes: &[M]) -> Result<(), String> {
    until(nodes, "every slot is served", is_whole)?;
    until(nodes, "every replica has its primary's data", |node| {
        let says = node.ask(&["INFO", "replication"])?;
        Ok(!says.contains("role:slave") || says.contains("master_link_status:up"))
    })?;
    let ids = nodes.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    // A node names a replica to clients once it has heard that this has data: with the first ping of its primary.
    until(nodes, "all name every replica to clients", |node| {
        let named = node.ask(&["CLUSTER", "SLOTS"])?;
        Ok(ids.iter().all(|id| named.lines().any(|line| line == id.trim())))
    })
}

fn until<M: Member>(nodes: &[M], what: &str, is: impl Fn(&M) -> Result<bool, String>) -> Result<(), String> {
    nodes.iter().try_for_each(|node| wait(what, || is(node)))
}

fn is_whole<M: Member>(node: &M) -> Result<bool, String> {
    Ok(node.ask(&["CLUSTER", "INFO"])?.contains("cluster_state:ok"))
}

fn id<M: Member>(node: &M) -> Result<String, String> {
    node.ask(&["CLUSTER", "MYID"])
}
