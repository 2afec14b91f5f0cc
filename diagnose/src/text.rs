//! A diagnosis in words: who it is, what is wrong, worst first, and what could not be seen.

use std::fmt::Write as _;

use crate::findings::words::{bytes, seconds};
use crate::record::{Diagnosis, RedisFinding};

/// All of it.
#[must_use]
pub fn whole(diagnosis: &Diagnosis) -> String {
    let mut text = head(diagnosis);
    if diagnosis.findings.is_empty() {
        text += "\nnothing found\n";
    }
    for finding in &diagnosis.findings {
        let _ = write!(text, "\n{}", one(finding));
    }
    text + &unseen(diagnosis)
}

/// Who it is: `redis 7.0.15 · primary · up 3 days · 1000 keys, 990 with a TTL · 1.2 MB of 100 MB`.
#[must_use]
pub fn head(diagnosis: &Diagnosis) -> String {
    let server = &diagnosis.server;
    let mut parts = vec![diagnosis.address.clone()];
    if let (Some(kind), Some(version)) = (&server.kind, &server.version) {
        parts.push(format!("{kind} {version}"));
    }
    let cluster = if server.is_cluster_node == Some(true) { " of a cluster" } else { "" };
    parts.extend(server.role.as_ref().map(|role| format!("{role}{cluster}")));
    parts.extend(server.uptime_s.map(|up| format!("up {}", seconds(up))));
    if let (Some(keys), Some(with_ttl)) = (server.keys, server.keys_with_ttl) {
        parts.push(format!("{keys} keys, {with_ttl} with a TTL"));
    }
    let limit = server
        .maxmemory_bytes
        .map(|limit| if limit == 0 { ", no limit".into() } else { format!(" of {}", bytes(limit)) });
    parts.extend(server.used_memory_bytes.map(|used| format!("{} used{}", bytes(used), limit.unwrap_or_default())));
    let mut text = parts.join(" · ") + "\n";
    if let Some(sample) = &diagnosis.sample {
        let of = if sample.is_all { "all".to_owned() } else { format!("{} of {}", sample.looked_at, sample.there) };
        let _ = writeln!(text, "keys looked at: {of}, in database {}", sample.database);
    }
    text
}

/// A finding in four lines.
#[must_use]
pub fn one(finding: &RedisFinding) -> String {
    let RedisFinding { name, severity, found, why, remedy, scenario } = finding;
    let mut text = format!("{:<8} {name}: {found}\n", severity.word());
    let _ = writeln!(text, "         why:    {why}\n         remedy: {remedy}");
    if let Some(scenario) = scenario {
        let _ = writeln!(text, "         see it: {scenario}");
    }
    text
}

fn unseen(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    if diagnosis.not_seen.is_empty() {
        return text;
    }
    text += "\nnot seen\n";
    for one in &diagnosis.not_seen {
        let right = one.right.as_ref().map(|right| format!(" (needs {right})")).unwrap_or_default();
        let _ = writeln!(text, "  {}: {}{right}: {}", one.command, one.what, one.why);
    }
    text
}

/// What changed from one diagnosis to the next: findings that are new (`+`), gone (`-`), or of another severity. Empty where nothing did:
/// figures that move are no change.
#[must_use]
pub fn changes(before: &Diagnosis, after: &Diagnosis) -> String {
    let find = |diagnosis: &Diagnosis, name: &str| diagnosis.findings.iter().find(|one| one.name == name).cloned();
    let mut text = String::new();
    for finding in &after.findings {
        match find(before, &finding.name) {
            None => text += &format!("+ {}", one(finding)),
            Some(old) if old.severity != finding.severity => {
                text += &format!("! was {}: {}", old.severity.word(), one(finding));
            }
            Some(_) => {}
        }
    }
    for finding in before.findings.iter().filter(|old| find(after, &old.name).is_none()) {
        let _ = writeln!(text, "- {:<8} {}: gone", finding.severity.word(), finding.name);
    }
    text
}
