//! Large keys, and what it costs to be rid of them.

use super::rule::FindingRule;
use super::words::bytes;
use crate::look::keys::LargeKey;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// A value that is read whole: at a gigabit a second it fills the line for 8 ms a read.
const STRING_BYTES: u64 = 1 << 20;
/// A collection that is read in parts; to free it takes milliseconds in which nobody is answered.
const COLLECTION_BYTES: u64 = 8 << 20;
/// Names that are told.
const NAMED: usize = 3;

pub(super) const BIG_KEYS: FindingRule = FindingRule {
    name: "big-keys",
    severity: Severity::Warning,
    when: "a string of at least 1 MiB, or a collection of at least 8 MiB, among the keys that were looked at",
    why: "everybody waits while it is read, copied or freed, and in a cluster it cannot be split over nodes",
    remedy: "part it by what is read together, compress it, or keep it elsewhere; UNLINK instead of DEL",
    scenario: Some("--scenario hotkey --set keys.value_size=1MiB"),
    rule: |look| {
        let big = big(look)?;
        let named: Vec<String> = big
            .iter()
            .take(NAMED)
            .map(|key| format!("\"{}\" ({}, {})", key.name, kind(key), bytes(key.bytes)))
            .collect();
        let of = look.keys.as_ref()?.of_how_many();
        (!big.is_empty()).then(|| format!("large keys: {} ({of})", named.join(", ")).into())
    },
};

pub(super) const FREED_AT_ONCE: FindingRule = FindingRule {
    name: "freed-at-once",
    severity: Severity::Warning,
    when: "a collection of at least 8 MiB, and lazyfree-lazy-user-del or lazyfree-lazy-expire is no",
    why: "when it is deleted or expires, the server frees its members one by one, and answers nobody meanwhile",
    remedy: "CONFIG SET lazyfree-lazy-user-del yes and lazyfree-lazy-expire yes",
    scenario: None,
    rule: |look| {
        let big = big(look)?;
        let collection = big.iter().find(|key| kind(key) != "string")?;
        let off: Vec<&str> = ["lazyfree-lazy-user-del", "lazyfree-lazy-expire"]
            .into_iter()
            .filter(|name| look.config.is_on(name) == Some(false))
            .collect();
        let found =
            format!("\"{}\" has {}, and {} is off", collection.name, bytes(collection.bytes), off.join(" and "));
        (!off.is_empty()).then(|| found.into())
    },
};

fn big(look: &ServerLook) -> Option<Vec<&LargeKey>> {
    let is_big = |key: &&LargeKey| key.bytes >= if kind(key) == "string" { STRING_BYTES } else { COLLECTION_BYTES };
    Some(look.keys.as_ref()?.largest.iter().filter(is_big).collect())
}

/// Its kind; a collection where the server did not say, for that is the higher bar.
fn kind(key: &LargeKey) -> &str {
    if key.kind.is_empty() { "of unknown kind" } else { &key.kind }
}
