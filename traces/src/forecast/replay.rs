//! The herds of a trace, counted by its own arrivals: what an empty cache in front of an origin that takes d would have to read.

use std::time::Duration;

use super::answer::{CountedHerds, HerdForecast, HerdQuestion, KeyHerds, KeyLoad, OriginReads, TraceLoad};
use super::predicted::predicted;
use crate::error::TraceError;
use crate::rate::PeakMeter;
use crate::row::TraceOp;

const SERVICE_MAX: Duration = Duration::from_secs(24 * 3600);
/// No read yet.
const NEVER: u64 = u64::MAX;

/// What is known of a key.
#[derive(Debug, Clone, Copy)]
struct KeyState {
    /// 0: none was stated.
    ttl_ns: u64,
    /// The first and the last read of the herd that came last, without protection.
    first_ns: u64,
    last_ns: u64,
    /// How long herds were under way.
    under_way_ns: u64,
    /// The last read of a single flight.
    alone_ns: u64,
    herds: u32,
    reads: u32,
    alone: u32,
}

const NEW: KeyState =
    KeyState { ttl_ns: 0, first_ns: NEVER, last_ns: 0, under_way_ns: 0, alone_ns: NEVER, herds: 0, reads: 0, alone: 0 };

/// Counts herds while the rows go by.
#[derive(Debug, Clone)]
pub(crate) struct HerdReplay {
    question: HerdQuestion,
    service_ns: u64,
    /// By number, from 1 on.
    keys: Vec<KeyState>,
    unprotected: (u64, PeakMeter),
    single_flight: (u64, PeakMeter),
}

impl HerdReplay {
    pub(crate) fn new(question: HerdQuestion) -> Result<Self, TraceError> {
        let wrong =
            |what, found: Duration, allowed| Err(TraceError::Setting { what, found: format!("{found:?}"), allowed });
        if question.service.is_zero() || question.service > SERVICE_MAX {
            return wrong("the origin's time", question.service, "above 0, at most 24h");
        }
        if let Some(ttl) = question.ttl.filter(Duration::is_zero) {
            return wrong("the TTL", ttl, "above 0");
        }
        let none = (0, PeakMeter::default());
        let service_ns = ns(question.service);
        Ok(Self { question, service_ns, keys: Vec::new(), unprotected: none, single_flight: none })
    }

    /// A row; keys come with numbers from 1, the next one at the most.
    pub(crate) fn add(&mut self, number: u32, at_ns: u64, op: TraceOp, ttl: Option<Duration>) {
        let index = number as usize - 1;
        if index >= self.keys.len() {
            self.keys.resize(index + 1, NEW);
        }
        let key = &mut self.keys[index];
        if let Some(ttl) = ttl {
            key.ttl_ns = ns(ttl);
        }
        if op != TraceOp::Read {
            return;
        }
        let ttl_ns = match (key.ttl_ns, self.question.ttl) {
            (0, Some(ttl)) => ns(ttl),
            (0, None) => NEVER,
            (stated, _) => stated,
        };
        if key.reads_unprotected(at_ns, self.service_ns, ttl_ns) {
            self.unprotected.0 += 1;
            self.unprotected.1.add(at_ns);
        }
        if key.reads_alone(at_ns, self.service_ns, ttl_ns) {
            self.single_flight.0 += 1;
            self.single_flight.1.add(at_ns);
        }
    }

    /// The forecast, with an answer of its own for each of these keys.
    pub(crate) fn forecast(self, load: TraceLoad, top: impl Iterator<Item = KeyLoad>) -> HerdForecast {
        let whole = |(reads, peak): (u64, PeakMeter)| OriginReads { reads, peak: peak.peak() };
        let endless = |key: &&KeyState| key.ttl_ns == 0 && self.question.ttl.is_none() && key.reads > 0;
        HerdForecast {
            question: self.question,
            reads: load.reads,
            keys: top.map(|key| self.key(load, key)).collect(),
            unprotected: whole(self.unprotected),
            single_flight: whole(self.single_flight),
            keys_without_ttl: self.keys.iter().filter(endless).count() as u32,
        }
    }

    fn key(&self, load: TraceLoad, key: KeyLoad) -> KeyHerds {
        let state = self.keys.get(key.number as usize - 1).copied().unwrap_or(NEW);
        let stated = (state.ttl_ns > 0).then(|| Duration::from_nanos(state.ttl_ns));
        let ttl = stated.or(self.question.ttl);
        let duration = load.duration.as_secs_f64();
        let per = |sum: f64, whole: f64| if whole > 0.0 { sum / whole } else { 0.0 };
        KeyHerds {
            number: key.number,
            key: key.key,
            reads_per_s: per(f64::from(key.reads), duration),
            ttl,
            predicted: predicted(load, key.reads, self.question.service, ttl),
            counted: CountedHerds {
                per_expiry: per(f64::from(state.reads), f64::from(state.herds)),
                herd_share: per(state.under_way_ns as f64 * 1e-9, duration).min(1.0),
                herds: state.herds,
                reads: state.reads,
                single_flight: state.alone,
            },
            name: key.name,
        }
    }
}

impl KeyState {
    /// Without protection: whoever comes before the first read of a herd is over reads, too; the last of them counts for the TTL.
    /// Exact where the TTL is no shorter than d.
    fn reads_unprotected(&mut self, at_ns: u64, service_ns: u64, ttl_ns: u64) -> bool {
        let (over_ns, put_ns) = (self.first_ns.saturating_add(service_ns), self.last_ns.saturating_add(service_ns));
        let empty = self.first_ns == NEVER;
        if !empty && at_ns < over_ns {
            self.under_way_ns += at_ns - self.last_ns;
        } else if empty || at_ns >= put_ns.saturating_add(ttl_ns) {
            self.first_ns = at_ns;
            self.under_way_ns = self.under_way_ns.saturating_add(service_ns);
            self.herds = self.herds.saturating_add(1);
        } else {
            return false;
        }
        self.last_ns = at_ns;
        self.reads = self.reads.saturating_add(1);
        true
    }

    /// One reads for all: whoever comes before that is over waits.
    fn reads_alone(&mut self, at_ns: u64, service_ns: u64, ttl_ns: u64) -> bool {
        let ends_ns = self.alone_ns.saturating_add(service_ns).saturating_add(ttl_ns);
        let reads = self.alone_ns == NEVER || at_ns >= ends_ns;
        if reads {
            self.alone_ns = at_ns;
            self.alone = self.alone.saturating_add(1);
        }
        reads
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}
