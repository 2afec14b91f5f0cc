//! The server's own logs: slow commands, moments at which it stood still, and the user that anybody is.

use crate::escape;
use crate::wire::resp::RespReply;

/// A line of the slow log. What else was in the command may be anybody's secret, and is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowCommand {
    /// When it ended, seconds since 1970 by the server's clock.
    pub at_s: i64,
    /// How long it took, without waiting, in microseconds.
    pub took_us: u64,
    /// Its name.
    pub name: String,
}

impl SlowCommand {
    /// Reads SLOWLOG GET.
    #[must_use]
    pub fn all(reply: &RespReply) -> Vec<Self> {
        let one = |entry: &RespReply| {
            let [_, at, took, words, ..] = entry.list()? else { return None };
            let name = words.list()?.first()?.text()?;
            Some(Self {
                at_s: at.number()?,
                took_us: took.number()?.try_into().ok()?,
                name: escape::name(name).to_uppercase(),
            })
        };
        reply.list().unwrap_or_default().iter().filter_map(one).collect()
    }
}

/// A kind of event that took the server's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyEvent {
    /// Its kind: `fork`, `command`, `aof-fsync-always`.
    pub kind: String,
    /// When the last one was, seconds since 1970.
    pub at_s: i64,
    /// How long the last one took, in ms.
    pub last_ms: u64,
    /// How long the longest one took, in ms.
    pub max_ms: u64,
}

impl LatencyEvent {
    /// Reads LATENCY LATEST.
    #[must_use]
    pub fn all(reply: &RespReply) -> Vec<Self> {
        let one = |entry: &RespReply| {
            let [kind, at, last, max, ..] = entry.list()? else { return None };
            Some(Self {
                kind: escape::name(kind.text()?),
                at_s: at.number()?,
                last_ms: last.number()?.try_into().ok()?,
                max_ms: max.number()?.try_into().ok()?,
            })
        };
        reply.list().unwrap_or_default().iter().filter_map(one).collect()
    }
}

/// The user `default`: anybody who names no user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultUser {
    /// Whether it may come in at all.
    pub on: bool,
    /// Whether any password will do.
    pub no_password: bool,
}

impl DefaultUser {
    /// Reads ACL GETUSER: names and values by turns, of which `flags` is a list.
    #[must_use]
    pub fn read(reply: &RespReply) -> Option<Self> {
        let fields = reply.list()?.chunks_exact(2).find(|pair| pair[0].text() == Some(b"flags"))?;
        let has = |flag: &[u8]| fields[1].list().is_some_and(|all| all.iter().any(|one| one.text() == Some(flag)));
        Some(Self { on: has(b"on"), no_password: has(b"nopass") })
    }
}
