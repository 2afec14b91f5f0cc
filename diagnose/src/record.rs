//! What a diagnosis says: the document that `--format json` writes, and from which the words are made.

use schemars::JsonSchema;
use serde::Serialize;

use crate::escape;
use crate::look::server::ServerLook;
use crate::look::unseen::NotSeen;

/// The schema of what `diagnose --format json` says.
pub const DIAGNOSIS_SCHEMA: &str = "stampede.diagnosis/v1";

/// How bad a finding is. The order is that in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It hurts now, or will at the next ordinary event.
    Critical,
    /// It will hurt under load, or after a fault.
    Warning,
    /// Worth knowing. It does not change the exit code.
    Note,
}

impl Severity {
    /// `critical`, `warning` or `note`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedisFinding {
    /// Which: `expire-together`. docs/diagnose.md has them all.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, with its figures.
    pub found: String,
    /// Why it matters.
    pub why: String,
    /// What cures it.
    pub remedy: String,
    /// The command that shows the same in the lab; `null` where no scenario does.
    pub scenario: Option<String>,
}

/// What `diagnose --format json` says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// Always [`DIAGNOSIS_SCHEMA`].
    #[schemars(extend("const" = DIAGNOSIS_SCHEMA))]
    pub schema: &'static str,
    /// The server's address, without its secrets.
    pub address: String,
    /// What the server says of itself.
    pub server: ServerSeen,
    /// Which of its keys were looked at; `null` where none could be.
    pub sample: Option<SampleSeen>,
    /// What is wrong, worst first.
    pub findings: Vec<RedisFinding>,
    /// What could not be seen.
    pub not_seen: Vec<NotSeen>,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServerSeen {
    /// `redis` or `valkey`.
    pub kind: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `primary` or `replica`.
    pub role: Option<String>,
    /// Whether it is a node of a cluster.
    pub is_cluster_node: Option<bool>,
    /// Seconds since it was started.
    pub uptime_s: Option<u64>,
    /// Keys in all databases.
    pub keys: Option<u64>,
    /// Those of them that have a TTL.
    pub keys_with_ttl: Option<u64>,
    /// Memory that it uses, in bytes.
    pub used_memory_bytes: Option<u64>,
    /// Its `maxmemory` in bytes, 0 for none.
    pub maxmemory_bytes: Option<u64>,
    /// As whom we were there.
    pub user: Option<String>,
}

/// Which keys were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SampleSeen {
    /// The database.
    pub database: u32,
    /// Keys that were looked at.
    pub looked_at: u64,
    /// Keys that it has.
    pub there: u64,
    /// Whether that was all of them.
    pub is_all: bool,
    /// Keys with a TTL among those that were looked at.
    pub with_ttl: u64,
}

impl Diagnosis {
    /// Whether there is a finding that is more than a note.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity < Severity::Note)
    }
}

/// Of what was seen, and what was judged of it.
#[must_use]
pub fn diagnosis(address: &str, look: &ServerLook, mut findings: Vec<RedisFinding>) -> Diagnosis {
    findings.sort_by_key(|finding| finding.severity);
    let sample = look.keys.as_ref().map(|keys| SampleSeen {
        database: keys.database,
        looked_at: keys.looked_at,
        there: keys.there,
        is_all: keys.is_all,
        with_ttl: keys.ends_ms.len() as u64,
    });
    let server = server_seen(look);
    let not_seen = look.not_seen.clone();
    Diagnosis { schema: DIAGNOSIS_SCHEMA, address: address.to_owned(), server, sample, findings, not_seen }
}

fn server_seen(look: &ServerLook) -> ServerSeen {
    let info = &look.info;
    let short = |text: &str| escape::name(text.as_bytes());
    let valkey = info.text("valkey_version");
    let version = valkey.or(info.text("redis_version"));
    ServerSeen {
        kind: version.map(|_| if valkey.is_some() { "valkey" } else { "redis" }.to_owned()),
        version: version.map(short),
        role: info.text("role").map(|role| if role == "slave" { "replica".to_owned() } else { "primary".to_owned() }),
        is_cluster_node: info.text("cluster_enabled").map(|is| is == "1"),
        uptime_s: info.whole("uptime_in_seconds"),
        keys: look.keyspace().map(|(keys, _)| keys),
        keys_with_ttl: look.keyspace().map(|(_, with_ttl)| with_ttl),
        used_memory_bytes: info.whole("used_memory"),
        maxmemory_bytes: look.setting_number("maxmemory", "maxmemory"),
        user: look.user.clone(),
    }
}
