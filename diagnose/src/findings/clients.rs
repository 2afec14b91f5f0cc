//! Clients against the most that may connect.

use super::rule::FindingRule;
use super::words::{percent, share};
use crate::look::server::ServerLook;
use crate::record::Severity;

/// A deployment has old and new processes side by side for a while, and needs up to twice the connections.
const NEAR_LIMIT: f64 = 0.8;

pub(super) const CLIENTS_NEAR_LIMIT: FindingRule = FindingRule {
    name: "clients-near-limit",
    severity: Severity::Warning,
    when: "at least 80 % of maxclients are connected",
    why: "a deployment or a storm of reconnects goes beyond it, and then everybody new is turned away",
    remedy: "one shared connection a process instead of a pool; raise maxclients and the descriptors' limit; a timeout for idle ones",
    scenario: Some("--scenario deploy-local --lab sim"),
    rule: |look| {
        let (connected, most) = (look.info.whole("connected_clients")?, limit(look)?);
        let found =
            format!("{connected} clients of at most {most} are connected ({})", percent(share(connected, most)));
        (share(connected, most) >= NEAR_LIMIT).then(|| found.into())
    },
};

pub(super) const CLIENTS_REFUSED: FindingRule = FindingRule {
    name: "clients-refused",
    severity: Severity::Warning,
    when: "any connection was refused for maxclients since start",
    why: "each of them was a process without its cache, and a client that tries again at once makes it worse",
    remedy: "raise maxclients and the descriptors' limit, one shared connection a process, back off with jitter",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let refused = look.info.whole("rejected_connections").filter(|refused| *refused > 0)?;
        let most = limit(look).map(|most| format!(" of {most}")).unwrap_or_default();
        Some(format!("{refused} connections were refused since start, for maxclients{most}").into())
    },
};

fn limit(look: &ServerLook) -> Option<u64> {
    look.setting_number("maxclients", "maxclients").filter(|most| *most > 0)
}
