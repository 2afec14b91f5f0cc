//! Replicas: how far they are behind, whether they hear their primary, and whether they take writes.

use super::rule::FindingRule;
use super::words::bytes;
use crate::look::fields::ReplicaLine;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// A replica answers each second. After so many that are missing it stands still, or the network does.
const LAG_S: u64 = 5;
/// What it says of its offset is up to a second old, so that on a busy primary some bytes are always under way.
const LAG_BYTES: u64 = 16 << 20;
/// And so many seconds of what is written now.
const LAG_SECONDS_OF_WRITES: u64 = 3;

pub(super) const REPLICA_BEHIND: FindingRule = FindingRule {
    name: "replica-behind",
    severity: Severity::Warning,
    when: "a replica that is not online, that was not heard of for 5 s, or that is 16 MiB and 3 s of writes behind",
    why: "what is read there is old, and a fail-over to it loses everything that it does not have: locks, counters, puts",
    remedy: "look at the replica's machine and at the network; a larger repl-backlog-size spares it a full copy; read from the primary meanwhile",
    scenario: Some("--scenario holder-returns --lab sim"),
    rule: |look| {
        let mut behind: Vec<String> =
            look.info.replicas().iter().filter_map(|replica| how_far(look, replica)).collect();
        let more = behind.len().saturating_sub(2);
        behind.truncate(2);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        (!behind.is_empty()).then(|| format!("{}{more}", behind.join("; ")).into())
    },
};

/// How far behind it is, where that is far.
fn how_far(look: &ServerLook, replica: &ReplicaLine) -> Option<String> {
    let bytes_behind = Some(look.info.whole("master_repl_offset")?.saturating_sub(replica.offset?));
    let kbps = look.info.real("instantaneous_output_repl_kbps").or_else(|| look.info.real("instantaneous_input_kbps"));
    let a_second = (kbps.unwrap_or(0.0) * 1024.0) as u64;
    let is_far = |behind: u64| behind >= LAG_BYTES.max(a_second.saturating_mul(LAG_SECONDS_OF_WRITES));
    let is_bad =
        replica.state != "online" || replica.lag_s.is_some_and(|lag| lag >= LAG_S) || bytes_behind.is_some_and(is_far);
    let behind = bytes_behind.map_or_else(|| "an unknown number of bytes".to_owned(), bytes);
    let lag = replica.lag_s.map(|lag| format!(", heard of {lag} s ago")).unwrap_or_default();
    is_bad.then(|| format!("replica {} ({}) is {behind} behind{lag}", replica.address, replica.state))
}

pub(super) const LINK_DOWN: FindingRule = FindingRule {
    name: "link-down",
    severity: Severity::Critical,
    when: "a replica whose master_link_status is not up",
    why: "it answers from what it had when the link broke, and nothing tells its readers how old that is",
    remedy: "look at its primary and at the network between; check masterauth; replica-serve-stale-data no makes it refuse instead",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let status = look.info.text("master_link_status").filter(|status| *status != "up")?;
        let (host, port) = (look.info.text("master_host")?, look.info.text("master_port")?);
        let since =
            look.info.whole("master_link_down_since_seconds").map(|s| format!(" for {s} s")).unwrap_or_default();
        let primary = crate::escape::name(format!("{host}:{port}").as_bytes());
        let status = crate::escape::name(status.as_bytes());
        Some(format!("it is a replica, and its link to the primary {primary} is {status}{since}").into())
    },
};

pub(super) const REPLICA_WRITABLE: FindingRule = FindingRule {
    name: "replica-writable",
    severity: Severity::Warning,
    when: "a replica with replica-read-only no",
    why: "what is written there is on no other server, differs from the primary's, and is gone at the next full copy",
    remedy: "CONFIG SET replica-read-only yes, and let clients write to the primary",
    scenario: None,
    rule: |look| {
        let writable = look.info.text("role")? == "slave" && look.config.is_on("replica-read-only") == Some(false);
        writable.then(|| "it is a replica and takes writes (replica-read-only no)".to_owned().into())
    },
};
