//! Slots of a cluster that move from one primary to another: key by key, as `redis-cli --cluster reshard` does it, or all at once where the
//! servers can.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::{Cmd, FromRedisValue, cmd};
use strategies::port::ConnectionLimits;

use super::address::{AddressFlaw, RedisAddress};
use super::error::sentence;
use super::link::RedisLink;
use super::topology::{KnownNode, read_nodes};
use super::versions::moves_at_once;

/// How long a command may take: `MIGRATE` keeps both nodes busy for as long as it does.
const PATIENCE: Duration = Duration::from_secs(10);
/// Keys that move at once: the default of `redis-cli --cluster-pipeline`.
const KEYS_AT_ONCE: u32 = 10;
/// How long `MIGRATE` may wait for the other node, milliseconds.
const MIGRATE_TIMEOUT_MS: u32 = 5000;
/// How long all nodes must agree before slots move: what they had sent before may be under way for as long as TCP delays an acknowledgement
/// (40 ms on Linux).
const SETTLED: Duration = Duration::from_millis(100);
/// How often nodes are asked whether they agree, or a move of all at once is over, and how long that may take.
const ASK_EVERY: Duration = Duration::from_millis(5);
const AT_ONCE_BUDGET: Duration = Duration::from_secs(60);

/// Which slots are to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotsToMove {
    /// So many of the node that has most of them.
    Count(u32),
    /// This one.
    One(u16),
}

/// A move that was begun: who had the slots, and who gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotMove {
    from: Peer,
    to: Peer,
    slots: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    id: String,
    address: String,
}

/// What a move came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotsMoved {
    /// Slots.
    pub slots: usize,
    /// Keys that were in them when their turn came.
    pub keys: u64,
    /// From the first command to the last.
    pub took: Duration,
}

/// The lab's hand on a cluster whose slots it moves.
pub struct ClusterHand {
    seed: RedisAddress,
    cluster: RedisLink,
    nodes: tokio::sync::Mutex<BTreeMap<String, RedisLink>>,
}

impl ClusterHand {
    /// To a cluster; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: &RedisAddress) -> Result<Self, AddressFlaw> {
        Ok(Self {
            seed: RedisAddress { others: Vec::new(), ..to.clone() },
            cluster: RedisLink::new(to, ConnectionLimits::USUAL)?,
            nodes: tokio::sync::Mutex::default(),
        })
    }

    /// Says what will move: from the primary that has the slot, or most slots, to the one that has fewest.
    ///
    /// # Errors
    /// A sentence where there is nothing to be moved, or nowhere.
    pub async fn plan(&self, what: SlotsToMove) -> Result<SlotMove, String> {
        let primaries: Vec<KnownNode> = self.settled().await?;
        let from = match what {
            SlotsToMove::One(slot) => primaries.iter().find(|node| node.has(slot)),
            SlotsToMove::Count(_) => primaries.iter().max_by_key(|node| node.count()),
        };
        let from = from.ok_or("no primary has it")?;
        let to = primaries.iter().filter(|node| node.id != from.id).min_by_key(|node| node.count());
        let to = to.ok_or("there is no other primary")?;
        let all = from.slots.iter().flat_map(|(first, last)| *first..=*last);
        let slots: Vec<u16> = match what {
            SlotsToMove::One(slot) => vec![slot],
            SlotsToMove::Count(count) => all.take(count as usize).collect(),
        };
        if matches!(what, SlotsToMove::Count(count) if slots.len() < count as usize) {
            return Err(format!("the node that has most has {} slots", slots.len()));
        }
        let peer = |node: &KnownNode| Peer { id: node.id.clone(), address: node.address.clone() };
        Ok(SlotMove { from: peer(from), to: peer(to), slots })
    }

    /// Has the first slot stand half-way: the old owner sends clients on for what it has not got.
    ///
    /// # Errors
    /// The servers' words.
    pub async fn begin(&self, what: &SlotMove) -> Result<(), String> {
        match what.slots.first() {
            Some(slot) => self.open(what, *slot).await,
            None => Ok(()),
        }
    }

    async fn open(&self, what: &SlotMove, slot: u16) -> Result<(), String> {
        set_slot(&mut self.node(&what.to.address).await?, slot, &["IMPORTING", &what.from.id]).await?;
        set_slot(&mut self.node(&what.from.address).await?, slot, &["MIGRATING", &what.to.id]).await
    }

    /// Moves them key by key.
    ///
    /// # Errors
    /// The servers' words; slots before that have moved, and one may be half-way.
    pub async fn move_by_key(&self, what: &SlotMove) -> Result<SlotsMoved, String> {
        let begun = Instant::now();
        let others: Vec<KnownNode> = self.primaries().await?;
        let (mut from, mut to) = (self.node(&what.from.address).await?, self.node(&what.to.address).await?);
        let mut keys = 0;
        for &slot in &what.slots {
            self.open(what, slot).await?;
            keys += move_keys(&mut from, slot, &what.to.address).await?;
            let owner = ["NODE", what.to.id.as_str()];
            // The new owner first: else both would send clients to each other.
            set_slot(&mut to, slot, &owner).await?;
            set_slot(&mut from, slot, &owner).await?;
            for other in others.iter().filter(|node| node.id != what.from.id && node.id != what.to.id) {
                set_slot(&mut self.node(&other.address).await?, slot, &owner).await?;
            }
        }
        Ok(SlotsMoved { slots: what.slots.len(), keys, took: begun.elapsed() })
    }

    /// Moves them all at once.
    ///
    /// # Errors
    /// The servers' words, or that it took too long.
    pub async fn move_at_once(&self, what: &SlotMove) -> Result<SlotsMoved, String> {
        let begun = Instant::now();
        let (mut from, mut to) = (self.node(&what.from.address).await?, self.node(&what.to.address).await?);
        let mut keys = 0;
        for &slot in &what.slots {
            keys += say::<u64>(&mut from, cmd("CLUSTER").arg("COUNTKEYSINSLOT").arg(slot)).await?;
        }
        let info: String = say(&mut from, cmd("INFO").arg("server")).await?;
        let (mut asked, status) = if info.contains("valkey_version") {
            let mut migrate = cmd("CLUSTER");
            migrate.arg("MIGRATESLOTS").arg("SLOTSRANGE").arg(spans(&what.slots)).arg("NODE").arg(&what.to.id);
            say::<()>(&mut from, &migrate).await?;
            (from, cmd("CLUSTER").arg("GETSLOTMIGRATIONS").to_owned())
        } else {
            let id: String =
                say(&mut to, cmd("CLUSTER").arg("MIGRATION").arg("IMPORT").arg(spans(&what.slots))).await?;
            (to, cmd("CLUSTER").arg("MIGRATION").arg("STATUS").arg("ID").arg(id).to_owned())
        };
        while begun.elapsed() < AT_ONCE_BUDGET {
            let said: redis::Value = say(&mut asked, &status).await?;
            match state(&said).as_deref() {
                Some("success" | "completed") => {
                    return Ok(SlotsMoved { slots: what.slots.len(), keys, took: begun.elapsed() });
                }
                Some(ended @ ("failed" | "canceled" | "cancelled")) => return Err(format!("the move {ended}")),
                _ => tokio::time::sleep(ASK_EVERY).await,
            }
        }
        Err(format!("the move was not over after {AT_ONCE_BUDGET:?}"))
    }

    /// Gives slots back that have moved, or are half-way.
    ///
    /// # Errors
    /// The servers' words.
    pub async fn move_back(&self, what: &SlotMove) -> Result<(), String> {
        let primaries = self.settled().await?;
        let mut moved = Vec::new();
        for &slot in &what.slots {
            if primaries.iter().any(|node| node.id == what.to.id && node.has(slot)) {
                moved.push(slot);
                continue;
            }
            // Half-way, or not begun: keys that have gone come back. First the old owner sends nobody on any more, `MIGRATE` neither.
            let (mut from, mut to) = (self.node(&what.from.address).await?, self.node(&what.to.address).await?);
            set_slot(&mut from, slot, &["STABLE"]).await?;
            move_keys(&mut to, slot, &what.from.address).await?;
            set_slot(&mut to, slot, &["STABLE"]).await?;
        }
        let back = SlotMove { from: what.to.clone(), to: what.from.clone(), slots: moved };
        self.move_by_key(&back).await.map(drop)
    }

    /// The primaries with their slots, each by its own word: after a move the others hear of it a moment later.
    async fn primaries(&self) -> Result<Vec<KnownNode>, String> {
        let answer: String = say(&mut self.cluster.any(), cmd("CLUSTER").arg("NODES")).await?;
        let mut primaries = Vec::new();
        for known in read_nodes(&answer).into_iter().filter(|node| node.primary) {
            let itself: String = say(&mut self.node(&known.address).await?, cmd("CLUSTER").arg("NODES")).await?;
            let itself = read_nodes(&itself).into_iter().find(|node| node.id == known.id);
            primaries.extend(itself.filter(|node| node.primary));
        }
        Ok(primaries)
    }

    /// The primaries with their slots, once all nodes have seen them alike for [`SETTLED`]. A move that begins sooner after another one may
    /// leave a slot that no node has: the new owner gives it up again for an old claim that reaches it late.
    async fn settled(&self) -> Result<Vec<KnownNode>, String> {
        let begun = Instant::now();
        let (mut before, mut since) = (None, begun);
        while begun.elapsed() < PATIENCE {
            let agreed = self.agreed().await?;
            if agreed.is_none() || agreed != before {
                (before, since) = (agreed, Instant::now());
            } else if let Some(primaries) = agreed.filter(|_| since.elapsed() >= SETTLED) {
                return Ok(primaries);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Err(format!("the nodes did not agree within {PATIENCE:?} on which of them has which slots"))
    }

    async fn agreed(&self) -> Result<Option<Vec<KnownNode>>, String> {
        let answer: String = say(&mut self.cluster.any(), cmd("CLUSTER").arg("NODES")).await?;
        let mut seen: Option<Vec<KnownNode>> = None;
        for node in read_nodes(&answer) {
            let asked: Result<String, String> =
                say(&mut self.node(&node.address).await?, cmd("CLUSTER").arg("NODES")).await;
            // A replica that is lost, and not yet taken for dead, holds nothing up.
            let answer = match asked {
                Ok(answer) => answer,
                Err(_) if !node.primary => continue,
                Err(flaw) => return Err(flaw),
            };
            let mut primaries: Vec<KnownNode> = read_nodes(&answer).into_iter().filter(|node| node.primary).collect();
            primaries.sort_by(|a, b| a.id.cmp(&b.id));
            if seen.as_ref().is_some_and(|seen| *seen != primaries) {
                return Ok(None);
            }
            seen = Some(primaries);
        }
        Ok(seen)
    }

    async fn node(&self, address: &str) -> Result<RedisLink, String> {
        let mut nodes = self.nodes.lock().await;
        if let Some(link) = nodes.get(address) {
            return Ok(link.clone());
        }
        let limits = ConnectionLimits { connect: PATIENCE, reply: PATIENCE };
        let link = RedisLink::new(&self.seed.of_node(address), limits).map_err(|flaw| flaw.to_string())?;
        nodes.insert(address.to_owned(), link.clone());
        Ok(link)
    }
}

/// Whether a server can move slots all at once, by what `INFO server` says; else what it calls itself.
pub(crate) fn moving_at_once(info: &str) -> Result<(), String> {
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let server = match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => format!("valkey {}", version.trim()),
        (None, version) => format!("redis {}", version.unwrap_or("of unknown version").trim()),
    };
    if moves_at_once(&server) { Ok(()) } else { Err(server) }
}

/// Moves a slot's keys, as many as there are; how many that were.
async fn move_keys(from: &mut RedisLink, slot: u16, to: &str) -> Result<u64, String> {
    let (host, port) = to.rsplit_once(':').unwrap_or((to, ""));
    let mut moved = 0;
    loop {
        let mut list = cmd("CLUSTER");
        list.arg("GETKEYSINSLOT").arg(slot).arg(KEYS_AT_ONCE);
        let keys: Vec<Vec<u8>> = say(from, &list).await?;
        if keys.is_empty() {
            return Ok(moved);
        }
        let mut migrate = cmd("MIGRATE");
        migrate.arg(host).arg(port).arg("").arg(0).arg(MIGRATE_TIMEOUT_MS).arg("REPLACE").arg("KEYS").arg(&keys);
        // `NOKEY`: all of them have ended meanwhile.
        say::<String>(from, &migrate).await?;
        moved += keys.len() as u64;
    }
}

async fn set_slot(node: &mut RedisLink, slot: u16, words: &[&str]) -> Result<(), String> {
    say(node, cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(words)).await
}

async fn say<T: FromRedisValue>(node: &mut RedisLink, command: &Cmd) -> Result<T, String> {
    command.query_async(node).await.map_err(|error| sentence(&error))
}

/// From and to of each run of slots that follow one another.
fn spans(slots: &[u16]) -> Vec<u16> {
    let mut spans: Vec<(u16, u16)> = Vec::new();
    for &slot in slots {
        match spans.last_mut() {
            Some((_, to)) if u32::from(*to) + 1 == u32::from(slot) => *to = slot,
            _ => spans.push((slot, slot)),
        }
    }
    spans.into_iter().flat_map(|(from, to)| [from, to]).collect()
}

/// The word after `state` in the first of the moves that are told of, wherever it stands.
fn state(said: &redis::Value) -> Option<String> {
    let text = |value: &redis::Value| redis::from_redis_value::<String>(value.clone()).ok();
    match said {
        redis::Value::Array(parts) => {
            let at = parts.iter().position(|part| text(part).as_deref() == Some("state"));
            at.and_then(|at| text(parts.get(at + 1)?)).or_else(|| parts.iter().find_map(state))
        }
        redis::Value::Map(pairs) => {
            pairs.iter().find_map(|(name, value)| (text(name)? == "state").then(|| text(value)).flatten())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    #[test]
    fn slots_that_follow_one_another_are_one_span() {
        assert_eq!(spans(&[0, 1, 2, 7, 16_383]), [0, 2, 7, 7, 16_383, 16_383]);
        assert!(spans(&[]).is_empty());
    }

    #[test]
    fn the_state_of_a_move_is_found_wherever_it_stands() {
        let word = |text: &str| Value::BulkString(text.into());
        let flat = Value::Array(vec![word("id"), word("x"), word("state"), word("success")]);
        assert_eq!(state(&Value::Array(vec![flat.clone()])).as_deref(), Some("success"));
        assert_eq!(state(&flat).as_deref(), Some("success"));
        let map = Value::Map(vec![(word("id"), word("x")), (word("state"), word("completed"))]);
        assert_eq!(state(&Value::Array(vec![map])).as_deref(), Some("completed"));
        assert_eq!(state(&Value::Array(vec![])), None);
    }
}
