//! The lab's hand on a server that it reaches itself: what events do to it. It writes keys of one namespace of the lab, and nothing else.

use std::time::Duration;

use strategies::Key;
use strategies::port::ConnectionLimits;

use super::address::{AddressFlaw, RedisAddress};
use super::error::sentence;
use super::link::RedisLink;

/// How long a command may take: a fork of a large server keeps it waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// Keys, and bytes of their values, that are written at once.
const KEYS_AT_ONCE: u32 = 1000;
const BYTES_AT_ONCE: u32 = 1 << 20;

/// A connection that does something to a server.
pub struct ServerHand {
    link: RedisLink,
}

impl ServerHand {
    /// To an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: impl Into<RedisAddress>) -> Result<Self, AddressFlaw> {
        Ok(Self { link: RedisLink::new(&to.into(), ConnectionLimits { connect: PATIENCE, reply: PATIENCE })? })
    }

    /// Has it write its append-only file anew, and says what it said.
    ///
    /// # Errors
    /// The server's words.
    pub async fn rewrite_aof(&self) -> Result<String, String> {
        self.say("BGREWRITEAOF").await
    }

    /// Has it save a snapshot, and says what it said.
    ///
    /// # Errors
    /// The server's words.
    pub async fn save(&self) -> Result<String, String> {
        self.say("BGSAVE").await
    }

    /// Changes a setting, and says what it was.
    ///
    /// # Errors
    /// The server's words.
    pub async fn set(&self, name: &str, value: &str) -> Result<String, String> {
        let mut link = self.link.clone();
        let ask = redis::cmd("CONFIG").arg("GET").arg(name).to_owned();
        let (_, before): (String, String) = ask.query_async(&mut link).await.map_err(|e| sentence(&e))?;
        let tell = redis::cmd("CONFIG").arg("SET").arg(name).arg(value).to_owned();
        tell.query_async::<()>(&mut link).await.map_err(|e| sentence(&e))?;
        Ok(before)
    }

    /// Ends every connection but this one, those on which messages are heard included; how many it ended.
    ///
    /// # Errors
    /// The server's words.
    pub async fn end_connections(&self) -> Result<u64, String> {
        let mut ended = 0;
        for kind in ["normal", "pubsub"] {
            let kill = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg(kind).arg("SKIPME").arg("yes").to_owned();
            ended += kill.query_async::<u64>(&mut self.link.clone()).await.map_err(|e| sentence(&e))?;
        }
        Ok(ended)
    }

    /// Writes keys `from` to `to` (not included) of a namespace, with values of `bytes`.
    ///
    /// # Errors
    /// The server's words; what was written by then stays.
    pub async fn grow(&self, namespace: &str, (from, to): (u32, u32), bytes: u32) -> Result<(), String> {
        let at_once = (BYTES_AT_ONCE / bytes.max(1)).clamp(1, KEYS_AT_ONCE);
        let value = vec![b'x'; bytes as usize];
        for (first, end) in steps(from, to, at_once) {
            let mut pipeline = redis::pipe();
            for key in first..end {
                pipeline.set(grown(namespace, key), value.as_slice()).ignore();
            }
            pipeline.query_async::<()>(&mut self.link.clone()).await.map_err(|e| sentence(&e))?;
        }
        Ok(())
    }

    /// Removes keys that [`ServerHand::grow`] has written.
    ///
    /// # Errors
    /// The server's words.
    pub async fn shrink(&self, namespace: &str, (from, to): (u32, u32)) -> Result<(), String> {
        for (first, end) in steps(from, to, KEYS_AT_ONCE) {
            let mut unlink = redis::cmd("UNLINK");
            (first..end).for_each(|key| _ = unlink.arg(grown(namespace, key)));
            unlink.query_async::<u64>(&mut self.link.clone()).await.map_err(|e| sentence(&e))?;
        }
        Ok(())
    }

    async fn say(&self, command: &str) -> Result<String, String> {
        redis::cmd(command).query_async(&mut self.link.clone()).await.map_err(|e| sentence(&e))
    }
}

/// Asks whether a key takes writes, as a client would.
pub struct WriteProbe {
    link: RedisLink,
}

impl WriteProbe {
    /// Of a cache at an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: &RedisAddress) -> Result<Self, AddressFlaw> {
        Ok(Self { link: RedisLink::new(to, ConnectionLimits::USUAL)? })
    }

    /// Writes beside an item of a namespace, in its slot, what ends after a second.
    pub async fn takes_writes(&self, namespace: &str, item: &Key) -> bool {
        let key = format!("lab:{namespace}:{{{}}}:probe", item.whole().0);
        let set = redis::cmd("SET").arg(key).arg(1).arg("PX").arg(1000).to_owned();
        set.query_async::<()>(&mut self.link.clone()).await.is_ok()
    }
}

fn grown(namespace: &str, key: u32) -> String {
    format!("lab:{namespace}:grown:{key}")
}

/// A range in pieces of `at_once`.
fn steps(from: u32, to: u32, at_once: u32) -> impl Iterator<Item = (u32, u32)> {
    (from..to).step_by(at_once as usize).map(move |first| (first, first.saturating_add(at_once).min(to)))
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn pieces_are_the_whole() {
        assert_eq!(steps(0, 25, 10).collect::<Vec<_>>(), [(0, 10), (10, 20), (20, 25)]);
        assert_eq!(steps(5, 5, 10).count(), 0);
    }
}
