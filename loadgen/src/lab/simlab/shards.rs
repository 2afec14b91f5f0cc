//! The load on a simulated cluster's servers, as rows.

use report::record::ShardRow;
use scenarios::SimulatedServer;

/// What each server carried out in each second, of their counts by then, the primaries before their replicas. A primary's name is `shard-0`,
/// `shard-1` …; its slots are those of which `slot · shards / 16384` is that number. Of replicas that nobody asked anything there are no rows.
pub(super) fn rows(seen: &[(i64, Vec<u64>)], of: SimulatedServer) -> Vec<ShardRow> {
    const SLOTS: u32 = 16_384;
    let first = |shard: u32| (SLOTS * shard).div_ceil(of.shards);
    let asked = |last: &(i64, Vec<u64>)| last.1.iter().skip(of.shards as usize).any(|count| *count > 0);
    let nodes = if seen.last().is_some_and(asked) { 2 * of.shards } else { of.shards };
    let first_itself = seen.first().into_iter().chain(seen);
    let mut rows = Vec::new();
    for ((_, before), (t_ns, now)) in first_itself.zip(seen) {
        rows.extend((0..nodes).zip(before.iter().zip(now)).map(|(node, (before, now))| {
            let (shard, is_replica) = (node % of.shards, node >= of.shards);
            ShardRow {
                t_ns: *t_ns,
                node: format!("shard-{shard}{}", if is_replica { "-replica" } else { "" }),
                role: if is_replica { "replica" } else { "primary" }.into(),
                slots: if is_replica { 0 } else { first(shard + 1) - first(shard) },
                operations: now.saturating_sub(*before),
                ..ShardRow::default()
            }
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_was_added_in_a_second_and_all_slots_are_served() {
        let of = SimulatedServer { shards: 3, ..SimulatedServer::default() };
        let rows = rows(&[(-1, vec![0, 0, 0]), (0, vec![5, 1, 0]), (1, vec![5, 4, 2])], of);
        assert_eq!(rows.iter().map(|row| row.operations).collect::<Vec<_>>(), [0, 0, 0, 5, 1, 0, 0, 3, 2]);
        assert_eq!(rows[..3].iter().map(|row| row.slots).sum::<u32>(), 16_384);
        let of = SimulatedServer { shards: 2, ..SimulatedServer::default() };
        let rows = super::rows(&[(0, vec![0; 4]), (1, vec![1, 2, 0, 7])], of);
        let last = &rows[7];
        assert_eq!(
            (last.node.as_str(), last.role.as_str(), last.slots, last.operations),
            ("shard-1-replica", "replica", 0, 7)
        );
    }
}
