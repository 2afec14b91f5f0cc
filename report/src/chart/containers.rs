//! What the containers took of the machine, second by second: one line a service.

use std::collections::BTreeMap;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::axis::{Panel, Scale, pushed_apart};
use super::ink::{At, Drawn, FAINT, Ink, TEXT};
use crate::record::ContainerRow;

/// Told apart by lightness as well as by hue; a service beyond the fourth shares the last.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0x00, 0x72, 0xb2), RGBColor(0xe6, 0x9f, 0x00), RGBColor(0x00, 0x9e, 0x73), RGBColor(0x8e, 0x2f, 0x7d)];
const MIB: f64 = 1024.0 * 1024.0;
/// Held back for less than this in all, nobody was.
const THROTTLED_MS_MIN: f64 = 1.0;

/// A service's name, how many containers it has, and (second since t = 0, cores).
pub(crate) type Service = (String, usize, Vec<(f64, f64)>);

/// The lines of the panel, and what is said beside its name.
pub(crate) struct Containers {
    services: Vec<Service>,
    said: String,
}

impl Containers {
    /// Samples come once a second; those further apart than this have others missing between them, seconds.
    pub(crate) const GAP_S: f64 = 2.5;

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
            sum.into_iter().map(|(second, cores)| ((second as f64 + 0.5).min(to_s), cores)).collect()
        };
        let services = services.iter().map(|(service, of)| ((*service).to_owned(), of.len(), sum(of))).collect();
        Self { services, said: said(&largest, &throttled_ms) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Each service's name, how many containers it has, and (second since t = 0, cores).
    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }

    /// The most memory that a container of each service held, and which were held back.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// The scale that holds every point.
    pub(crate) fn scale(&self) -> Scale {
        let all = self.services.iter().flat_map(|(_, _, points)| points);
        Scale::counts(all.map(|(_, cores)| *cores).fold(0.0, f64::max), 4)
    }

    /// Draws the lines, and their names at the panel's right edge.
    pub(crate) fn draw<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>, panel: &Panel) -> Drawn<DB> {
        let y = panel.top - 19.0;
        let name = "Containers: processor, cores";
        ink.text(name, (16.0, y), 13.0, TEXT, At::Left)?;
        let room = panel.right - 16.0 - ink.width(name, 13.0) - 14.0;
        ink.text(&ink.fitted(&self.said, 10.5, room), (panel.right, y), 10.5, FAINT, At::Right)?;
        panel.y_axis(ink, &panel.y.ticks(4))?;
        panel.x_axis(ink, &panel.x.ticks(12), true)?;
        let mut ends = Vec::new();
        for (at, (service, count, points)) in self.services.iter().enumerate() {
            let colour = COLOURS[at.min(COLOURS.len() - 1)];
            // A container that was down has no samples: no line is drawn over that time.
            for unbroken in points.chunk_by(|(before, _), (next, _)| next - before <= Self::GAP_S) {
                let line: Vec<(f64, f64)> = unbroken.iter().map(|(second, cores)| panel.at(*second, *cores)).collect();
                match line.as_slice() {
                    [(x, y)] => ink.rect((x - 1.5, y - 1.5), (x + 1.5, y + 1.5), colour)?,
                    line => ink.line(line, colour, 1.5)?,
                }
            }
            let name = if *count > 1 { format!("{count} × {service}") } else { service.clone() };
            ends.extend(points.last().map(|(second, cores)| (name, colour, panel.at(*second, *cores).1)));
        }
        let wanted: Vec<f64> = ends.iter().map(|(_, _, y)| *y).collect();
        for ((name, colour, _), y) in ends.iter().zip(pushed_apart(&wanted, 13.0, panel.top, panel.bottom)) {
            ink.text(name, (panel.right + 6.0, y), 11.0, *colour, At::Left)?;
        }
        Ok(())
    }
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
        let expected = [("app".to_owned(), 2, vec![(0.5, 0.75)]), ("cache-proxy".to_owned(), 1, vec![(0.5, 0.125)])];
        assert_eq!(containers.services, expected);
        assert_eq!(containers.said, "HELD BACK by a limit: app 40 ms; most memory: app 3 MiB, cache-proxy 3 MiB");
        assert!(Containers::of(&[], 0.0, 1.0).is_empty());
    }
}
