//! How the lab fared while it measured: which of its parts stood still, whose clock was set, whether anybody else emptied the
//! cache. What a planned event explains is recorded and is no reason to doubt.

use evidence::{CacheWatched, Heartbeat, Silence};
use report::record::Conditions;

use crate::lab::faults::Aftermath;

/// The longest time for which a part of a valid run may give no sign of life, milliseconds.
///
/// Five beats: a scheduler that is late by a few, as on a busy machine with two cores, spoils no run. And a quarter of the
/// second in which everything is counted: what a shorter stall holds back is made up for within the same row or the next one,
/// and is a 20th of the shortest TTL that the shipped scenarios have. In an open loop the schedule lag (p99, 5 ms) is the
/// stricter rule.
pub(super) const SILENT_MS_MAX: u64 = 250;

/// A part of the lab, and what its heart told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// `generator`, `replica-0`, `origin`.
    pub name: String,
    /// Which replica it is.
    pub replica: Option<u32>,
    /// From its clock to nanoseconds since t = 0.
    pub to_t0_ns: i64,
    /// What its heart told.
    pub heartbeat: Heartbeat,
}

/// What speaks against a run, each a list for people; empty where nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Against {
    /// Parts that stood still.
    pub silences: Vec<String>,
    /// Parts whose wall clock was set.
    pub steps: Vec<String>,
    /// When the lab's entry had gone from the cache, seconds after t = 0.
    pub lost: Vec<String>,
}

/// The load's time, nanoseconds since t = 0, warm-up included.
#[derive(Debug, Clone, Copy)]
pub struct During {
    /// Where the warm-up begins.
    pub from_ns: i64,
    /// Where the measured phase ends.
    pub to_ns: i64,
}

/// Puts together how the parts fared, and what of it no event explains.
#[must_use]
pub fn conditions(parts: &[Part], during: During, aftermath: &Aftermath) -> (Conditions, Against) {
    let (mut conditions, mut against) = (Conditions::default(), Against::default());
    for part in parts {
        // An event that pauses a replica explains its silence; none makes a generator or an origin stand still.
        let paused =
            |from, to| part.replica.is_some_and(|replica| aftermath.explains_time(from, to, |of| of == Some(replica)));
        let Heartbeat { longest_ns, silences, steps, cache } = &part.heartbeat;
        let seen = Seen { part: &part.name, to_t0_ns: part.to_t0_ns, during };
        let longest = seen.silences(*longest_ns, silences, paused, &mut against.silences);
        conditions.silent_ms.insert(part.name.clone(), longest);
        let mut largest = 0.0_f64;
        for step in steps {
            let (at, by_ms) = (seen.at(step.at_ns), step.by_ns as f64 / 1e6);
            if seen.overlaps(at, at) {
                against.steps.push(format!("{} by {by_ms:+.0} ms at {}", part.name, seconds(at)));
                largest = largest.max(by_ms.abs());
            }
        }
        conditions.clock_step_ms.insert(part.name.clone(), round(largest));
        if let Some(watched) = cache {
            watched_cache(watched, part, &seen, aftermath, (&mut conditions, &mut against));
        }
    }
    (conditions, against)
}

fn watched_cache(
    watched: &CacheWatched,
    part: &Part,
    seen: &Seen<'_>,
    aftermath: &Aftermath,
    (conditions, against): (&mut Conditions, &mut Against),
) {
    let troubled = |from, to| aftermath.explains_time(from, to, |of| of.is_none() || of == part.replica);
    let seen = Seen { part: "cache", ..*seen };
    let longest = seen.silences(watched.longest_ns, &watched.silences, troubled, &mut against.silences);
    conditions.silent_ms.insert("cache".into(), longest);
    let lost = watched.lost_ns.iter().map(|at| seen.at(*at)).filter(|at| seen.overlaps(*at, *at));
    let lost: Vec<i64> = lost.collect();
    conditions.sentinel_lost = Some(lost.len() as u64);
    let unexplained = lost.into_iter().filter(|at| !troubled(*at, *at) && !aftermath.emptied(*at));
    against.lost.extend(unexplained.map(seconds));
}

/// One part's view.
#[derive(Clone, Copy)]
struct Seen<'a> {
    part: &'a str,
    to_t0_ns: i64,
    during: During,
}

impl Seen<'_> {
    fn at(&self, mono_ns: u64) -> i64 {
        i64::try_from(mono_ns).unwrap_or(i64::MAX).saturating_add(self.to_t0_ns)
    }

    fn overlaps(&self, from: i64, to: i64) -> bool {
        from <= self.during.to_ns && to >= self.during.from_ns
    }

    /// The longest silence during the load, milliseconds; those that are too long and that nothing explains are told.
    fn silences(
        &self,
        longest_ns: u64,
        silences: &[Silence],
        explained: impl Fn(i64, i64) -> bool,
        against: &mut Vec<String>,
    ) -> f64 {
        // What was never worth telling alone lies somewhere, and is short.
        let mut longest = longest_ns.min(evidence::LONG_SILENCE.as_nanos() as u64);
        let mut worst: Option<(u64, i64)> = None;
        for silence in silences {
            let (from, to) = (self.at(silence.from_ns), self.at(silence.to_ns));
            if !self.overlaps(from, to) {
                continue;
            }
            longest = longest.max(silence.ns());
            let long = silence.ns() >= SILENT_MS_MAX * 1_000_000 && !explained(from, to);
            if long && worst.is_none_or(|(worst, _)| silence.ns() > worst) {
                worst = Some((silence.ns(), from));
            }
        }
        if let Some((ns, from)) = worst {
            against.push(format!("{} for {} ms at {}", self.part, ns / 1_000_000, seconds(from)));
        }
        round(longest as f64 / 1e6)
    }
}

fn seconds(ns: i64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use evidence::ClockStep;

    use super::*;
    use crate::lab::faults::CacheFailureSpan;

    const S: u64 = 1_000_000_000;

    fn silence(from_ms: u64, to_ms: u64) -> Silence {
        Silence { from_ns: from_ms * 1_000_000, to_ns: to_ms * 1_000_000 }
    }

    /// Clocks that read 100 s at t = 0; five seconds of warm-up and ten of measurement.
    fn judged(parts: &[(&str, Option<u32>, Heartbeat)], aftermath: &Aftermath) -> (Conditions, Against) {
        let part = |(name, replica, heartbeat): &(&str, Option<u32>, Heartbeat)| Part {
            name: (*name).into(),
            replica: *replica,
            to_t0_ns: -100 * S as i64,
            heartbeat: heartbeat.clone(),
        };
        let parts: Vec<Part> = parts.iter().map(part).collect();
        conditions(&parts, During { from_ns: -5 * S as i64, to_ns: 10 * S as i64 }, aftermath)
    }

    fn heart(silences: &[Silence]) -> Heartbeat {
        let longest_ns = silences.iter().map(Silence::ns).max().unwrap_or(51_000_000);
        Heartbeat { longest_ns, silences: silences.to_vec(), ..Heartbeat::default() }
    }

    #[test]
    fn a_part_that_stood_still_speaks_against_the_run_wherever_in_the_load_it_was() {
        let parts = [
            ("generator", None, heart(&[silence(104_000, 107_000)])),
            ("replica-0", Some(0), heart(&[silence(96_000, 96_300), silence(101_000, 101_249)])),
            ("replica-1", Some(1), heart(&[silence(90_000, 94_999), silence(110_001, 120_000)])),
            ("origin", None, heart(&[])),
        ];
        let (conditions, against) = judged(&parts, &Aftermath::default());
        assert_eq!(against.silences, ["generator for 3000 ms at 4.0 s", "replica-0 for 300 ms at -4.0 s"]);
        let longest: Vec<f64> = conditions.silent_ms.values().copied().collect();
        assert_eq!(longest, [3000.0, 51.0, 300.0, 100.0], "what lies outside the load is not told");
        assert_eq!((against.steps.len(), against.lost.len(), conditions.sentinel_lost), (0, 0, None));
    }

    #[test]
    fn what_an_event_did_explains_those_whom_it_concerns_and_nobody_else() {
        let watched = CacheWatched {
            silences: vec![silence(102_000, 104_000)],
            lost_ns: vec![104 * S],
            ..CacheWatched::default()
        };
        let watching = Heartbeat { cache: Some(watched), ..heart(&[silence(105_000, 106_000)]) };
        let parts = [("replica-0", Some(0), watching), ("replica-1", Some(1), heart(&[silence(102_000, 103_000)]))];
        let span = |from: u64, to: u64, replica| CacheFailureSpan {
            from_ns: (from * S) as i64,
            to_ns: Some((to * S) as i64),
            replica,
        };
        let cache = Aftermath { spans: vec![span(2, 4, None)], ..Aftermath::default() };
        let said = judged(&parts, &cache).1;
        assert_eq!(said.silences, ["replica-0 for 1000 ms at 5.0 s", "replica-1 for 1000 ms at 2.0 s"]);
        assert!(said.lost.is_empty(), "the cache's trouble explains the cache: {:?}", said.lost);
        let paused = Aftermath { spans: vec![span(2, 3, Some(1))], ..Aftermath::default() };
        let said = judged(&parts, &paused).1;
        assert_eq!(said.silences, ["replica-0 for 1000 ms at 5.0 s", "cache for 2000 ms at 2.0 s"]);
        assert_eq!(said.lost, ["4.0 s"]);
        let flushed = Aftermath { emptied_ns: vec![39 * S as i64 / 10], ..Aftermath::default() };
        assert!(judged(&parts, &flushed).1.lost.is_empty(), "a planned flush takes the lab's entry, too");
    }

    #[test]
    fn a_clock_that_was_set_is_told_with_its_largest_step() {
        let step = |at_ns, by_ms: i64| ClockStep { at_ns, by_ns: by_ms * 1_000_000 };
        let steps = vec![step(50 * S, 9000), step(101 * S, 40), step(103 * S, -3000)];
        let (conditions, against) =
            judged(&[("origin", None, Heartbeat { steps, ..heart(&[]) })], &Aftermath::default());
        assert_eq!(against.steps, ["origin by +40 ms at 1.0 s", "origin by -3000 ms at 3.0 s"]);
        assert_eq!(conditions.clock_step_ms["origin"], 3000.0);
    }
}
