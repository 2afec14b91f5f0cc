//! Who may come in.

use super::rule::FindingRule;
use crate::look::server::ServerLook;
use crate::record::Severity;

pub(super) const OPEN_TO_ALL: FindingRule = FindingRule {
    name: "open-to-all",
    severity: Severity::Critical,
    when: "the default user needs no password, protected-mode is off, and the server listens beyond loopback (or let us in from another machine)",
    why: "whoever reaches the port reads, empties and rewrites everything, and with CONFIG SET the machine's files: such servers are found within hours",
    remedy: "a password (requirepass, or ACL SETUSER), one user a program with the commands it needs, bind to the private address, TLS",
    scenario: None,
    rule: |look| {
        let open = look.default_user.map_or(look.let_in_without_password, |user| user.on && user.no_password);
        if !open {
            return None;
        }
        let unprotected = look.config.is_on("protected-mode") == Some(false) && listens_beyond_loopback(look)?;
        let found = "anybody who reaches its port may do anything: no password, and it listens beyond loopback";
        (unprotected || look.is_elsewhere).then(|| found.to_owned().into())
    },
};

/// Whether a port is bound to more than this machine's own addresses. `-` before an address: it need not be there.
fn listens_beyond_loopback(look: &ServerLook) -> Option<bool> {
    let has_port =
        [look.config.whole("port"), look.config.whole("tls-port")].into_iter().flatten().any(|port| port > 0);
    let bound = look.config.text("bind")?;
    let is_loopback = |address: &str| {
        let address = address.trim_start_matches('-');
        address == "localhost" || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    };
    // Bound to nothing in particular is bound to everything.
    Some(has_port && (bound.is_empty() || !bound.split_whitespace().all(is_loopback)))
}
