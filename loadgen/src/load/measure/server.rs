//! What a server did of its own while a strategy was measured, and how many of the slowest requests were near it.

use std::collections::BTreeMap;

use report::record::{MarkFigures, ServerFigures, ServerRow};

use super::round::round;
use crate::load::record::Slowest;

/// How near is near.
const NEAR_NS: i64 = 100_000_000;
/// One request in so many is slow: those beyond the 99.9th percentile.
const SLOW_ONE_IN: u64 = 1000;

/// A time, nanoseconds since t = 0.
type Span = (i64, i64);

/// The figures of the rows that lie in the measured time; `requests` is how many were sent in it. `None` where there is no such row.
#[must_use]
pub fn server_figures(
    rows: &[ServerRow],
    slowest: Option<&Slowest>,
    requests: u64,
    end_ns: i64,
) -> Option<ServerFigures> {
    // A row tells of the time since the one before it, so the first of the measured time has one before.
    let pairs: Vec<(i64, &ServerRow)> = rows
        .windows(2)
        .filter_map(|pair| match pair {
            [before, row] => Some((before.t_ns, row)),
            _ => None,
        })
        .filter(|(_, row)| (0..end_ns).contains(&row.t_ns))
        .collect();
    let last = pairs.last()?.1;
    let sum = |count: fn(&ServerRow) -> u64| pairs.iter().map(|(_, row)| count(row)).sum::<u64>();
    let maybe = |count: fn(&ServerRow) -> Option<u64>| -> Option<u64> { pairs.iter().map(|(_, row)| count(row)).sum() };
    let (hits, misses) = (sum(|row| row.hits), sum(|row| row.misses));
    let marks = marks(&pairs, end_ns);
    let slow = usize::try_from(requests.div_ceil(SLOW_ONE_IN)).ok().and_then(|count| slowest?.first(count));
    let slow = slow.filter(|slow| !slow.is_empty());
    let of = |spans: Vec<Span>| NearTimes::of(spans, end_ns).figures(slow.as_deref());
    let all = of(marks.values().flat_map(|(_, spans)| spans.iter().copied()).collect());
    let count = |name: &str| marks.get(name).map_or(0, |(count, _)| *count);
    let forked = |row: &ServerRow| row.marks.split(' ').any(|mark| mark == "fork");
    let forks = pairs.iter().filter(|(_, row)| forked(row)).filter_map(|(_, row)| row.fork_ms);
    Some(ServerFigures {
        samples: pairs.len() as u64,
        between_ms_max: pairs.iter().map(|(before, row)| row.t_ns - before).max().map(|ns| round(ns as f64 / 1e6, 1e3)),
        used_bytes: pairs.iter().filter_map(|(_, row)| row.used_bytes).max(),
        hit_ratio: (hits + misses > 0).then(|| round(hits as f64 / (hits + misses) as f64, 1e6)),
        evicted: sum(|row| row.evicted),
        expired: sum(|row| row.expired),
        forks: last.forks.and(maybe(|row| row.forks)),
        fork_ms_max: forks.reduce(f64::max),
        saves: count("save-begin"),
        rewrites: count("rewrite-begin"),
        delayed_fsyncs: last.aof_bytes.and(maybe(|row| row.delayed_fsyncs)),
        slow_commands: maybe(|row| row.slow_commands),
        latency_ms_max: latency_events(&pairs),
        slowest: slow.as_ref().map(|slow| slow.len() as u64),
        slowest_near_share: all.slowest_near_share,
        near_share: all.near_share,
        near_by_chance: all.near_by_chance,
        by_mark: marks.into_iter().map(|(name, (count, spans))| (name, MarkFigures { count, ..of(spans) })).collect(),
    })
}

/// How often each kind was marked, and the times that are near it: what a row marks happened between the row before and itself.
fn marks(pairs: &[(i64, &ServerRow)], end_ns: i64) -> BTreeMap<String, (u64, Vec<Span>)> {
    let mut marks: BTreeMap<String, (u64, Vec<Span>)> = BTreeMap::new();
    for (before_ns, row) in pairs {
        for mark in row.marks.split(' ').filter(|mark| !mark.is_empty()) {
            let name = mark.split('=').next().unwrap_or(mark);
            let (count, spans) = marks.entry(name.to_owned()).or_default();
            *count += 1;
            spans.push(((before_ns - NEAR_NS).max(0), (row.t_ns + NEAR_NS).min(end_ns)));
        }
    }
    marks
}

fn latency_events(pairs: &[(i64, &ServerRow)]) -> BTreeMap<String, f64> {
    let mut events: BTreeMap<String, f64> = BTreeMap::new();
    for mark in pairs.iter().flat_map(|(_, row)| row.marks.split(' ')) {
        let event = mark.strip_prefix("latency:").and_then(|event| event.split_once('='));
        if let Some((name, Ok(ms))) = event.map(|(name, ms)| (name, ms.parse::<f64>())) {
            let longest = events.entry(name.to_owned()).or_default();
            *longest = longest.max(ms);
        }
    }
    events
}

/// Times without those that lie in others, in order.
fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut whole: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match whole.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => whole.push((from, to)),
        }
    }
    whole
}

/// The times that are near marks, in order and apart from each other.
struct NearTimes {
    spans: Vec<Span>,
    /// The times between them, before the first included, the shortest first.
    gaps: Vec<i64>,
    end_ns: i64,
}

impl NearTimes {
    fn of(spans: Vec<Span>, end_ns: i64) -> Self {
        let spans = union(spans);
        let ends = std::iter::once(0).chain(spans.iter().map(|(_, to)| *to));
        let mut gaps: Vec<i64> = spans.iter().zip(ends).map(|((from, _), before)| from - before).collect();
        gaps.sort_unstable();
        Self { spans, gaps, end_ns }
    }

    /// Whether a request was under way in any of them.
    fn meets(&self, (from, to): Span) -> bool {
        let first = self.spans.partition_point(|span| span.1 < from);
        self.spans.get(first).is_some_and(|span| span.0 <= to)
    }

    /// The share of all moments at which a request of that length would have to begin to meet one: each of them is longer by that, to the
    /// front, as far as there is room before the one that comes before it.
    fn chance(&self, length: i64) -> f64 {
        let short = self.gaps.partition_point(|gap| *gap < length);
        let before = self.gaps[..short].iter().sum::<i64>() + length * (self.gaps.len() - short) as i64;
        let near = self.spans.iter().map(|(from, to)| to - from).sum::<i64>();
        (near + before) as f64 / self.end_ns as f64
    }

    fn figures(&self, slowest: Option<&[Span]>) -> MarkFigures {
        let mean = |of: &dyn Fn(Span) -> f64| {
            slowest.map(|slow| round(slow.iter().map(|request| of(*request)).sum::<f64>() / slow.len() as f64, 1e6))
        };
        MarkFigures {
            count: 0,
            slowest_near_share: mean(&|request| f64::from(u8::from(self.meets(request)))),
            near_share: Some(round(self.chance(0), 1e6)),
            near_by_chance: mean(&|(from, to)| self.chance(to - from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn rows() -> Vec<ServerRow> {
        let row = |tenth: i64, marks: &str| ServerRow {
            t_ns: tenth * S / 10,
            hits: 3,
            misses: 1,
            fork_ms: Some(12.0),
            forks: Some(u64::from(marks.contains("fork "))),
            marks: marks.into(),
            ..ServerRow::default()
        };
        (-5..100)
            .map(|tenth| match tenth {
                20 => row(tenth, "fork rewrite-begin latency:fork=12"),
                40 => row(tenth, "rewrite-end"),
                -3 => row(tenth, "save-begin"),
                _ => row(tenth, ""),
            })
            .collect()
    }

    #[test]
    fn the_share_near_marks_is_held_against_the_time_that_they_cover() {
        let mut slowest = Slowest::of_run();
        // Three of four are under way within 100 ms of the fork, which happened between 1.9 and 2 s.
        for (from, to) in [(18, 19), (20, 22), (15, 30), (50, 55)] {
            slowest.see(from * S / 10, to * S / 10);
        }
        let figures = server_figures(&rows(), Some(&slowest), 4000, 10 * S).unwrap();
        assert_eq!((figures.forks, figures.fork_ms_max, figures.rewrites, figures.saves), (Some(1), Some(12.0), 1, 0));
        assert_eq!(
            (figures.slowest, figures.slowest_near_share, figures.near_share),
            (Some(4), Some(0.75), Some(0.06))
        );
        // 0.1, 0.2, 1.5 and 0.5 s long; times near marks from 1.8 to 2.1 s and from 3.8 to 4.1 s.
        assert_eq!(figures.near_by_chance, Some(round((0.8 + 1.0 + 3.6 + 1.6) / 4.0 / 10.0, 1e6)));
        assert_eq!(figures.by_mark["rewrite-end"].slowest_near_share, Some(0.0));
        assert_eq!(figures.latency_ms_max["fork"], 12.0);
        assert_eq!(figures.hit_ratio, Some(0.75));
    }

    /// Requests that take longer than there is between two marks meet one whenever they begin before the last.
    #[test]
    fn a_long_request_meets_a_mark_by_chance() {
        let times = NearTimes::of((1..10).map(|n| (n * S, n * S + S / 10)).collect(), 10 * S);
        assert!((times.chance(0) - 0.09).abs() < 1e-9);
        assert!((times.chance(S / 10) - 0.18).abs() < 1e-9);
        assert!((times.chance(2 * S) - 0.91).abs() < 1e-9);
        assert!(
            times.meets((S / 2, S)) && !times.meets((S + S / 5, 2 * S - 1)) && !times.meets((9 * S + S / 2, 9 * S + S))
        );
        assert!(!NearTimes::of(Vec::new(), S).meets((0, S)));
    }

    #[test]
    fn what_is_not_known_is_null() {
        let none = server_figures(&rows(), None, 4000, 10 * S).unwrap();
        assert_eq!((none.slowest, none.slowest_near_share, none.delayed_fsyncs), (None, None, None));
        assert_eq!(server_figures(&[], None, 4000, 10 * S), None);
        assert_eq!(union(vec![(5, 7), (0, 2), (1, 3), (7, 9)]), [(0, 3), (5, 9)]);
    }
}
