//! The load on a simulated cluster's servers, as rows.

use report::record::ShardRow;
use scenarios::SimulatedServer;

/// What each server carried out in each second, of their counts by then. A server's name is `shard-0`, `shard-1` …; its slots are those of
/// which `slot · shards / 16384` is that number.
pub(super) fn rows(seen: &[(i64, Vec<u64>)], of: SimulatedServer) -> Vec<ShardRow> {
    const SLOTS: u32 = 16_384;
    let first = |shard: u32| (SLOTS * shard).div_ceil(of.shards);
    let first_itself = seen.first().into_iter().chain(seen);
    let mut rows = Vec::new();
    for ((_, before), (t_ns, now)) in first_itself.zip(seen) {
        rows.extend((0..of.shards).zip(before.iter().zip(now)).map(|(shard, (before, now))| ShardRow {
            t_ns: *t_ns,
            node: format!("shard-{shard}"),
            role: "primary".into(),
            slots: first(shard + 1) - first(shard),
            operations: now.saturating_sub(*before),
            ..ShardRow::default()
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
    }
}
