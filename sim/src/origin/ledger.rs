//! The origin's ledger as it is written: reads in the order of their arrival, of which only those are held that are under way, or
//! stand behind one that is.

use std::collections::VecDeque;

use evidence::ReadEnd;
use strategies::Key;
use strategies::port::FlightId;
use strategies::time::Mono;

/// One read in the origin's ledger, in virtual time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The key that was asked for.
    pub key: Key,
    /// The flight, as the asker named it.
    pub flight: FlightId,
    /// The replica that asked.
    pub replica: u16,
    /// When it arrived.
    pub arrived: Mono,
    /// When it had its place; `None` where it never did.
    pub start: Option<Mono>,
    /// When it ended; `None` where it has not.
    pub end: Option<Mono>,
    /// How; `None` where it has not.
    pub outcome: Option<ReadEnd>,
}

/// Takes reads that are over, in the order of their arrival.
pub type ReadSink = Box<dyn FnMut(Read) + Send>;

/// The ledger. Without a sink it keeps everything.
#[derive(Default)]
pub(crate) struct SimLedger {
    /// From the first that was not handed over.
    rows: VecDeque<Read>,
    /// How many were handed over.
    gone: usize,
    sink: Option<ReadSink>,
}

impl SimLedger {
    /// Hands reads over from now on, once they are over.
    pub(crate) fn hand_over_to(&mut self, sink: ReadSink) {
        self.sink = Some(sink);
    }

    /// Writes down an arrival and returns its number.
    pub(crate) fn arrive(&mut self, read: Read) -> usize {
        self.rows.push_back(read);
        self.len() - 1
    }

    /// Reads that have arrived.
    pub(crate) fn len(&self) -> usize {
        self.gone + self.rows.len()
    }

    /// A read that was not handed over. One that is over changes no more.
    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut Read> {
        self.rows.get_mut(number.checked_sub(self.gone)?)
    }

    /// Some reads are over: hands over what can be.
    pub(crate) fn settle(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        while let Some(read) = self.rows.pop_front_if(|read| read.end.is_some()) {
            self.gone += 1;
            sink(read);
        }
    }

    /// Those that were not handed over.
    pub(crate) fn held(&mut self) -> &[Read] {
        self.rows.make_contiguous()
    }

    /// The same, and from now on they are not held any more.
    pub(crate) fn take(&mut self) -> Vec<Read> {
        self.gone += self.rows.len();
        std::mem::take(&mut self.rows).into()
    }
}
