//! The lab's hand on Redis: what an event needs and a replica may not do. Keys of one namespace of the lab, nothing else.

use std::time::Duration;

use strategies::port::ConnectionLimits;

use crate::cache::redis_cache::{AddressFlaw, RedisAddress, RedisLink, sentence};

/// How long one command may take.
const COMMAND_BUDGET: Duration = Duration::from_millis(300);
/// The longest namespace.
const NAMESPACE_BYTES_MAX: usize = 200;
/// Keys that one step of a removal looks at.
const SCAN_COUNT: usize = 1000;

/// A connection as the injector's user.
pub(super) struct Hand {
    connection: RedisLink,
}

impl Hand {
    pub(super) fn new(to: &RedisAddress) -> Result<Self, AddressFlaw> {
        let limits = ConnectionLimits { connect: COMMAND_BUDGET, reply: COMMAND_BUDGET };
        Ok(Self { connection: RedisLink::new(to, limits)? })
    }

    /// Removes every key of a namespace, locks included, and says how many.
    pub(super) async fn flush(&self, namespace: &str) -> Result<u64, String> {
        let pattern = format!("lab:{}:*", checked(namespace)?);
        self.awake().await;
        let mut removed = 0;
        for mut server in self.connection.each_server().await.map_err(|e| sentence(&e))? {
            removed += flush(&mut server, &pattern).await?;
        }
        Ok(removed)
    }

    /// The token that holds the lock of an item now.
    pub(super) async fn holder(&self, namespace: &str, item: u32) -> Result<Option<String>, String> {
        let mut get = redis::cmd("GET");
        get.arg(format!("lab:{}:{{{item}}}:l", checked(namespace)?));
        self.awake().await;
        get.query_async(&mut self.connection.clone()).await.map_err(|e| sentence(&e))
    }

    /// The first command after Redis was restarted finds the connection broken, and makes a new one for the second.
    async fn awake(&self) {
        let _: Result<String, _> = redis::cmd("PING").query_async(&mut self.connection.clone()).await;
    }
}

/// Removes what of it a server has.
async fn flush(server: &mut RedisLink, pattern: &str) -> Result<u64, String> {
    let (mut cursor, mut removed) = (0_u64, 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(server).await.map_err(|e| sentence(&e))?;
        if !keys.is_empty() {
            // Each in a command of its own: a cluster's node takes none for several slots.
            let mut each = redis::pipe();
            keys.into_iter().for_each(|key| _ = each.cmd("UNLINK").arg(key));
            let gone: Vec<u64> = each.query_async(server).await.map_err(|e| sentence(&e))?;
            removed += gone.into_iter().sum::<u64>();
        }
        if next == 0 {
            return Ok(removed);
        }
        cursor = next;
    }
}

/// A namespace that is no pattern: one with a star in it would remove more than it names.
fn checked(namespace: &str) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if namespace.is_empty() || namespace.len() > NAMESPACE_BYTES_MAX || !namespace.chars().all(plain) {
        return Err("no namespace of the lab: letters, digits, and -._: are allowed".into());
    }
    Ok(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_no_pattern() {
        assert!(checked("20261120T235900Z-hotkey-3f9a:jitter-1.0").is_ok());
        for pattern in ["", "*", "run:*", "a?", "[a]", "a b", &"a".repeat(201)] {
            assert!(checked(pattern).is_err(), "{pattern:?}");
        }
    }
}
