//! How the load lay on a cluster's nodes while a strategy was measured.

use std::collections::{BTreeMap, BTreeSet};

use report::record::{ShardFigures, ShardRow};

use super::round::round;

/// The figures of the rows whose whole time, since the node's row before, lies in the measured phase; `None` where there are none. A node that
/// was a primary for some of them counts with what it did then, a replica with the reads that it answered.
#[must_use]
pub fn shard_figures(rows: &[ShardRow], end_ns: i64) -> Option<ShardFigures> {
    let mut before: BTreeMap<&str, i64> = BTreeMap::new();
    let with_time = rows.iter().filter_map(|row| Some((before.insert(&row.node, row.t_ns)?, row)));
    let measured: Vec<(i64, &ShardRow)> = with_time
        .filter(|(since, row)| *since >= 0 && row.t_ns <= end_ns)
        .map(|(since, row)| (row.t_ns - since, row))
        .collect();
    let mut of: BTreeMap<&str, (u64, u64, i64)> = BTreeMap::new();
    let is_primary = |row: &ShardRow| row.role == "primary" && row.slots > 0;
    let primaries: BTreeSet<&str> =
        measured.iter().map(|(_, row)| *row).filter(|row| is_primary(row)).map(|row| row.node.as_str()).collect();
    for (took_ns, row) in measured.iter().filter(|(_, row)| is_primary(row) || row.role == "replica") {
        let (operations, cpu_us, ns) = of.entry(&row.node).or_default();
        *operations += row.operations;
        *cpu_us += row.cpu_us;
        *ns += took_ns;
    }
    let operations: u64 = of.values().map(|(operations, ..)| operations).sum();
    let fullest = of.values().map(|(operations, ..)| *operations).max()?;
    let cores = of.values().filter(|(.., ns)| *ns > 0).map(|(_, cpu_us, ns)| *cpu_us as f64 * 1e3 / *ns as f64);
    let sum = |count: fn(&ShardRow) -> u64| measured.iter().map(|(_, row)| count(row)).sum::<u64>();
    Some(ShardFigures {
        primaries: primaries.len() as u64,
        replicas: of.iter().filter(|(node, (reads, ..))| *reads > 0 && !primaries.contains(*node)).count() as u64,
        operations,
        fullest_share: (operations > 0).then(|| round(fullest as f64 / operations as f64, 1e4)),
        cpu_cores_max: cores.reduce(f64::max).map(|cores| round(cores, 1e4)),
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
    fn the_fullest_is_the_node_that_did_most_in_the_measured_time() {
        let rows = [
            row(-1, "a", "primary", 9),
            row(0, "a", "primary", 1000),
            row(0, "b", "primary", 0),
            row(0, "c", "replica", 0),
            row(1, "a", "primary", 30),
            row(1, "b", "primary", 10),
            row(1, "c", "replica", 10),
            row(2, "b", "primary", 60),
            row(3, "a", "primary", 1000),
        ];
        let found = shard_figures(&rows, 2_000_000_000).unwrap();
        assert_eq!((found.primaries, found.operations, found.fullest_share, found.moved), (2, 110, Some(0.6364), 4));
        assert_eq!(shard_figures(&rows[..2], 2_000_000_000), None, "a second that began before it");
        let idle = [row(0, "a", "primary", 0), row(1, "a", "primary", 0)];
        assert_eq!(shard_figures(&idle, 1_000_000_000).unwrap().fullest_share, None);
    }
}
