//! What the containers took of the machine, second by second: one line a service.

use std::collections::BTreeMap;

use super::series::DrawnPoint;
use crate::record::ContainerRow;

const MIB: f64 = 1024.0 * 1024.0;
/// Held back for less than this in all, nobody was.
const THROTTLED_MS_MIN: f64 = 1.0;

/// Samples come once a second; those further apart than this have others missing between them, seconds.
const GAP_S: f64 = 2.5;

/// What is drawn of a run's containers, and what is said beside it.
pub(crate) struct Containers {
    /// Each service, `2 × app` where it has several containers, and its cores by seconds since t = 0. A container that was down
    /// has no samples: the line is broken over that time.
    pub(crate) services: Vec<(String, Vec<DrawnPoint>)>,
    /// The most memory that a container of each service held, and which were held back.
    pub(crate) said: String,
}

impl Containers {
    /// Of the samples that lie in (`from_s`, `to_s`).
    pub(crate) fn of(rows: &[ContainerRow], from_s: f64, to_s: f64) -> Self {
        let within = |row: &&ContainerRow| (from_s..=to_s).contains(&(row.t_ns as f64 / 1e9));
        let mut services: BTreeMap<&str, BTreeMap<&str, BTreeMap<i64, f64>>> = BTreeMap::new();
        let (mut largest, mut throttled_ms) = (BTreeMap::new(), BTreeMap::new());
        for row in rows.iter().filter(within) {
            let service = row.container.rsplit_once('-').map_or(row.container.as_str(), |(service, _)| service);
            let seconds = services.entry(service).or_default().entry(&row.container).or_default();
            seconds.insert(row.t_ns.div_euclid(1_000_000_000), row.cpu_cores);
            let memory = largest.entry(service).or_insert(0);
            *memory = row.memory_bytes.max(*memory);
            *throttled_ms.entry(service).or_insert(0.0) += row.throttled_ms;
        }
        // The containers of a service are sampled at moments of their own: summed by the second.
        let sum = |containers: &BTreeMap<&str, BTreeMap<i64, f64>>| {
            let mut sum: BTreeMap<i64, f64> = BTreeMap::new();
            containers.values().flatten().for_each(|(second, cores)| *sum.entry(*second).or_default() += cores);
            broken(sum.into_iter().map(|(second, cores)| ((second as f64 + 0.5).min(to_s), cores)))
        };
        let label = |service: &str, count| if count > 1 { format!("{count} × {service}") } else { service.to_owned() };
        let services = services.iter().map(|(service, of)| (label(service, of.len()), sum(of))).collect();
        Self { services, said: said(&largest, &throttled_ms) }
    }

    /// The most cores of any service.
    pub(crate) fn most(&self) -> f64 {
        self.services.iter().flat_map(|(_, points)| points).filter_map(|(_, cores)| *cores).fold(0.0, f64::max)
    }
}

/// The samples as a series with its gaps.
fn broken(samples: impl Iterator<Item = (f64, f64)>) -> Vec<DrawnPoint> {
    let mut series: Vec<DrawnPoint> = Vec::new();
    for (second, cores) in samples {
        let gap = series.last().is_some_and(|(before, _)| second - before > GAP_S);
        series.extend(gap.then_some((second, None)));
        series.push((second, Some(cores)));
    }
    series
}

/// The most memory that a container of each service held, and which were held back.
fn said(largest: &BTreeMap<&str, u64>, throttled_ms: &BTreeMap<&str, f64>) -> String {
    let memory: Vec<String> =
        largest.iter().map(|(service, bytes)| format!("{service} {:.0} MiB", *bytes as f64 / MIB)).collect();
    let held: Vec<String> = throttled_ms
        .iter()
        .filter(|(_, ms)| **ms >= THROTTLED_MS_MIN)
        .map(|(service, ms)| format!("{service} {ms:.0} ms"))
        .collect();
    let held = if held.is_empty() { String::new() } else { format!("HELD BACK by a limit: {}; ", held.join(", ")) };
    format!("{held}most memory: {}", memory.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_a_service_are_summed_by_the_second_and_those_held_back_are_named() {
        let row = |t_ms: i64, container: &str, cpu_cores, throttled_ms| ContainerRow {
            t_ns: t_ms * 1_000_000,
            container: container.into(),
            cpu_cores,
            memory_bytes: 3 << 20,
            received_bytes: 0,
            sent_bytes: 0,
            throttled_ms,
        };
        let rows = [
            row(-9000, "app-1", 9.0, 0.0),
            row(100, "app-1", 0.5, 0.0),
            row(900, "app-2", 0.25, 40.0),
            row(950, "cache-proxy-1", 0.125, 0.0),
        ];
        let containers = Containers::of(&rows, -5.0, 60.0);
        let expected =
            [("2 × app".to_owned(), vec![(0.5, Some(0.75))]), ("cache-proxy".to_owned(), vec![(0.5, Some(0.125))])];
        assert_eq!(containers.services, expected);
        assert_eq!(containers.said, "HELD BACK by a limit: app 40 ms; most memory: app 3 MiB, cache-proxy 3 MiB");
        assert!(Containers::of(&[], 0.0, 1.0).services.is_empty());
    }
}
