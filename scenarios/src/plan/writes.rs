//! Writes that come beside the load, by nobody who reads.

use crate::plan::draw::{Purpose, PurposeDraws};
use crate::plan::{Arrival, Plan};
use crate::values::op::Op;
use crate::values::writes::WritePace;

const NS_PER_S: f64 = 1e9;

impl Plan {
    /// The writes that come beside the load, in the order of time, over warm-up and measured time. None where there are no writes, and
    /// where they are a share of the load's own requests.
    pub fn writes(&self) -> impl Iterator<Item = Arrival> + '_ {
        let rate = match self.writes.as_ref().map(|(writes, _)| writes.pace) {
            Some(WritePace::Rate(rate)) => Some(rate),
            Some(WritePace::Share(_)) | None => None,
        };
        let end_ns = u64::try_from(self.load.total().as_nanos()).unwrap_or(u64::MAX);
        let moments = rate.into_iter().flat_map(move |rate| {
            (0_u64..).scan(0_u64, move |at, n| {
                let gap = -(1.0 - PurposeDraws::at(self.seed, Purpose::WriteGap, 0, n).unit(0)).ln();
                *at = at.saturating_add((gap * NS_PER_S / rate).round() as u64);
                (*at < end_ns).then_some((n, *at))
            })
        });
        moments.map(|(n, at_ns)| Arrival {
            at_ns,
            key: self.written_key(0, n, at_ns),
            replica: (n % u64::from(self.replicas)) as u32,
            op: Op::Put,
        })
    }

    /// Whether the `n`-th request of a client is a write. Drawn apart, so that a plan without writes is as it was.
    pub(super) fn is_write(&self, client: u64, n: u64) -> bool {
        match self.writes.as_ref().map(|(writes, _)| writes.pace) {
            Some(WritePace::Share(share)) => PurposeDraws::at(self.seed, Purpose::Write, client, n).unit(0) < share,
            Some(WritePace::Rate(_)) | None => false,
        }
    }

    /// Which key a write at that moment is for.
    pub(super) fn written_key(&self, client: u64, n: u64, at_ns: u64) -> u32 {
        let picker = self.writes.as_ref().map_or(&self.picker, |(_, picker)| picker);
        let of = |purpose| PurposeDraws::at(self.seed, purpose, client, n);
        self.key_of(picker.pick(of(Purpose::WriteKey), || of(Purpose::WriteClass)), at_ns)
    }
}
