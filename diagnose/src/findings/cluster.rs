//! A node of a cluster: whether the cluster is whole.

use super::rule::FindingRule;
use crate::record::Severity;

/// Slots that a whole cluster serves.
const SLOTS: u64 = 16_384;

pub(super) const CLUSTER_BROKEN: FindingRule = FindingRule {
    name: "cluster-broken",
    severity: Severity::Critical,
    when: "cluster_state is not ok, or fewer than 16384 slots are served well",
    why: "keys of the slots that nobody serves cannot be read or written; with cluster-require-full-coverage no key can",
    remedy: "redis-cli --cluster check HOST:PORT says which slots; bring their node back, or --cluster fix",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let cluster = look.cluster.as_ref()?;
        let (state, well) = (cluster.text("cluster_state")?, cluster.whole("cluster_slots_ok")?);
        let state = crate::escape::name(state.as_bytes());
        let found = format!("cluster_state is {state}, and {well} of {SLOTS} slots are served well");
        (state != "ok" || well < SLOTS).then(|| found.into())
    },
};
