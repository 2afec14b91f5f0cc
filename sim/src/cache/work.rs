//! What commands cost the server: one thing at a time, and a link that carries so much each way.
//!
//! A command waits for those that came before it, at each of three places: the way in, the server, the way out. In all of them it is first
//! come, first served, so a place is the moment at which it is free again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scenarios::{Keys, SimulatedServer};
use strategies::Entry;
use strategies::time::{Mono, nanos};

/// What lies around a value in the cache: the envelope of the Redis adapter, to a few bytes.
const ENVELOPE_BYTES: u64 = 75;
/// As there: smaller values are not compressed, nor those of which compression would take less than a tenth.
const COMPRESS_FROM: usize = 1024;
const WORTH: f64 = 0.1;
const MIB: f64 = (1 << 20) as f64;

/// How large entries are where they lie, and what they cost there.
#[derive(Debug, Default)]
pub struct ServerWork {
    compressible: f64,
    costs: SimulatedServer,
    /// When the way in, the server and the way out are free.
    places: Mutex<[Mono; 3]>,
}

/// What a command carries: bytes of entries, in and out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carried {
    pub(crate) inwards: u64,
    pub(crate) outwards: u64,
}

impl ServerWork {
    /// Of a server that holds values of these keys.
    #[must_use]
    pub fn new(keys: &Keys, costs: SimulatedServer) -> Self {
        Self { compressible: keys.compressible, costs, places: Mutex::default() }
    }

    /// Bytes of an entry where it lies.
    pub(crate) fn bytes(&self, entry: &Entry) -> u64 {
        let length = entry.value.as_ref().map_or(0, bytes::Bytes::len);
        let saved = if length >= COMPRESS_FROM && self.compressible >= WORTH { self.compressible } else { 0.0 };
        ENVELOPE_BYTES + (length as f64 * (1.0 - saved)).round() as u64
    }

    /// When the reply to a command that arrives at `now` has left the server; `None`: at once.
    pub(crate) fn done(&self, now: Mono, carried: Carried) -> Option<Mono> {
        if !self.costs.is_set() {
            return None;
        }
        let SimulatedServer { command, per_mib, bandwidth } = self.costs;
        let wire = |bytes: u64| {
            bandwidth.map_or(Duration::ZERO, |per_s| Duration::from_secs_f64(bytes as f64 / f64::from(per_s)))
        };
        let by_bytes = nanos(per_mib) as f64 * (carried.inwards + carried.outwards) as f64 / MIB;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let takes =
            [wire(carried.inwards), command + Duration::from_nanos(by_bytes.round() as u64), wire(carried.outwards)];
        let mut at = now;
        for (place, takes) in places.iter_mut().zip(takes) {
            at = at.max(*place).plus(takes);
            *place = at;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;

    #[test]
    fn commands_wait_for_each_other_at_each_place() {
        let costs = SimulatedServer {
            command: Duration::from_micros(10),
            per_mib: Duration::from_millis(1),
            bandwidth: Some(100 << 20),
        };
        let work = ServerWork { compressible: 0.0, costs, places: Mutex::default() };
        let out = |outwards| Carried { inwards: 0, outwards };
        // 10 µs, a ms for the MiB, and a hundredth of a second on the link.
        assert_eq!(work.done(Mono(0), out(1 << 20)), Some(Mono(11_010 * US)));
        // The server is free again after 1 010 µs; the link is not.
        assert_eq!(work.done(Mono(0), out(1 << 20)), Some(Mono(21_010 * US)));
        // What carries nothing goes over the link in its turn.
        assert_eq!(work.done(Mono(0), out(0)), Some(Mono(21_010 * US)));
        assert_eq!(work.done(Mono(30_000 * US), out(0)), Some(Mono(30_010 * US)));
        assert_eq!(ServerWork::default().done(Mono(5), out(1 << 30)), None);
    }
}
