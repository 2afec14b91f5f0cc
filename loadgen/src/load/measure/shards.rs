//! How the load lay on a cluster's nodes while a strategy was measured.

use std::collections::BTreeMap;

use report::record::{ShardFigures, ShardRow};

use super::round::round;

/// The figures of the rows that lie in the measured time; `None` where there are none. A node that was a primary for some of them counts with
/// what it did then.
#[must_use]
pub fn shard_figures(rows: &[ShardRow], end_ns: i64) -> Option<ShardFigures> {
    let measured: Vec<&ShardRow> = rows.iter().filter(|row| (0..end_ns).contains(&row.t_ns)).collect();
    let mut of: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in measured.iter().filter(|row| row.role == "primary" && row.slots > 0) {
        let (operations, cpu_us) = of.entry(&row.node).or_default();
        *operations += row.operations;
        *cpu_us += row.cpu_us;
    }
    let operations: u64 = of.values().map(|(operations, _)| operations).sum();
    let fullest = of.values().map(|(operations, _)| *operations).max()?;
    let cpu_us = of.values().map(|(_, cpu_us)| *cpu_us).max()?;
    let sum = |count: fn(&ShardRow) -> u64| measured.iter().map(|row| count(row)).sum::<u64>();
    Some(ShardFigures {
        primaries: of.len() as u64,
        operations,
        fullest_share: (operations > 0).then(|| round(fullest as f64 / operations as f64, 1e4)),
        cpu_cores_max: (end_ns > 0).then(|| round(cpu_us as f64 * 1e3 / end_ns as f64, 1e4)),
        told: None,
        moved: sum(|row| row.moved),
        ask: sum(|row| row.ask),
        try_again: sum(|row| row.try_again),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(second: i64, node: &str, role: &str, operations: u64) -> ShardRow {
        let t_ns = second * 1_000_000_000;
        ShardRow { t_ns, node: node.into(), role: role.into(), slots: 5, operations, moved: 1, ..ShardRow::default() }
    }

    #[test]
    fn the_fullest_is_the_primary_that_did_most_in_the_measured_time() {
        let rows = [
            row(-1, "a", "primary", 1000),
            row(0, "a", "primary", 30),
            row(0, "b", "primary", 10),
            row(0, "c", "replica", 500),
            row(1, "b", "primary", 60),
            row(2, "a", "primary", 1000),
        ];
        let found = shard_figures(&rows, 2_000_000_000).unwrap();
        assert_eq!((found.primaries, found.operations, found.fullest_share, found.moved), (2, 100, Some(0.7), 4));
        assert_eq!(shard_figures(&rows[..1], 2_000_000_000), None);
        assert_eq!(shard_figures(&[row(0, "a", "primary", 0)], 1).unwrap().fullest_share, None);
    }
}
