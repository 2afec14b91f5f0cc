//! The agenda: what is due when, in the order of (time, sequence).
//!
//! A calendar in three tiers, because one heap of a million entries costs a cache miss at each level: the present slot
//! of 1 µs is in order, the slots of the present and the next page (1 ms each) are lists that are put in order when their
//! turn comes, and what is later waits in one list a page.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Width of a slot: 2^10 ns.
const SLOT_BITS: u32 = 10;
/// Slots in the two pages: 2^11.
const SLOTS: usize = 1 << RING_BITS;
const RING_BITS: u32 = 11;
/// Slots in a page, as a power of two.
const PAGE_BITS: u32 = RING_BITS - 1;
/// Emptied lists of later pages that are kept.
const SPARE_MAX: usize = 64;

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// When, nanoseconds of virtual time.
    pub(super) when: u64,
    /// Which of those of the same time was asked for first: the upper half. What it is: the lower.
    order: u64,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DueKind {
    /// The sleeper of that number wakes. Below 2^30.
    Sleeper(u32),
    /// The task in that slot wakes from a sleep of its own. Below 2^30.
    Task(u32),
    /// The call of that number is made. Below 2^31.
    Call(u32),
}

const IS_CALL: u32 = 1 << 31;
const IS_TASK: u32 = 1 << 30;

impl Due {
    pub(super) fn new(when: u64, sequence: u32, what: DueKind) -> Self {
        let what = match what {
            DueKind::Sleeper(number) => number,
            DueKind::Task(slot) => slot | IS_TASK,
            DueKind::Call(number) => number | IS_CALL,
        };
        Self { when, order: u64::from(sequence) << 32 | u64::from(what) }
    }

    pub(super) fn what(self) -> DueKind {
        let what = self.order as u32;
        if what & IS_CALL != 0 {
            DueKind::Call(what & !IS_CALL)
        } else if what & IS_TASK != 0 {
            DueKind::Task(what & !IS_TASK)
        } else {
            DueKind::Sleeper(what)
        }
    }

    pub(super) fn sequence(self) -> u32 {
        (self.order >> 32) as u32
    }
}

/// Everything that is due.
pub(super) struct Agenda {
    /// Of the slots up to and with `slot` what lay in them when their turn came, the earliest last.
    now: Vec<Due>,
    /// And what has come since: seldom anything, for it was asked for within a microsecond. Any number may be.
    late: BinaryHeap<Reverse<Due>>,
    /// The present slot, counted from time zero.
    slot: u64,
    /// The later slots of the present page and all of the next, by slot modulo their number.
    ring: Vec<Vec<Due>>,
    /// Which of these have anything: one bit each.
    taken: [u64; SLOTS / 64],
    /// What lies beyond, by page.
    far: BTreeMap<u64, Vec<Due>>,
    spare: Vec<Vec<Due>>,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            now: Vec::new(),
            late: BinaryHeap::new(),
            slot: 0,
            ring: vec![Vec::new(); SLOTS],
            taken: [0; SLOTS / 64],
            far: BTreeMap::new(),
            spare: Vec::new(),
        }
    }
}

impl Agenda {
    pub(super) fn push(&mut self, due: Due) {
        let slot = due.when >> SLOT_BITS;
        if slot <= self.slot {
            self.late.push(Reverse(due));
        } else if slot >> PAGE_BITS <= (self.slot >> PAGE_BITS) + 1 {
            self.put(slot, due);
        } else {
            let spare = &mut self.spare;
            self.far.entry(slot >> PAGE_BITS).or_insert_with(|| spare.pop().unwrap_or_default()).push(due);
        }
    }

    fn put(&mut self, slot: u64, due: Due) {
        let at = slot as usize % SLOTS;
        self.ring[at].push(due);
        self.taken[at / 64] |= 1 << (at % 64);
    }

    /// The earliest.
    pub(super) fn pop(&mut self) -> Option<Due> {
        loop {
            if let Some(first) = self.pop_if(|_| true) {
                return Some(first);
            }
            // Most slots of a small world have one, which needs no order.
            if let Some(only) = self.turn()? {
                return Some(only);
            }
        }
    }

    /// The earliest, if it is due at `when`, which must be when what was popped last was due.
    pub(super) fn pop_at(&mut self, when: u64) -> Option<Due> {
        self.pop_if(|first| first.when == when)
    }

    /// The earliest of the slots up to and with `slot`, if it is as wanted.
    fn pop_if(&mut self, wanted: impl Fn(&Due) -> bool) -> Option<Due> {
        let late = self.late.peek().is_some_and(|Reverse(late)| self.now.last().is_none_or(|first| late < first));
        if !late {
            return self.now.pop_if(|first| wanted(first));
        }
        self.late.peek().is_some_and(|Reverse(first)| wanted(first)).then(|| self.late.pop())?.map(|Reverse(due)| due)
    }

    /// Goes on to the next slot that has anything; what it has is in `now` from then on, or is returned where it is one
    /// alone. `None` where there is nothing any more.
    fn turn(&mut self) -> Option<Option<Due>> {
        let page = self.slot >> PAGE_BITS;
        let mut alone = None;
        match self.next_in_ring() {
            Some(slot) => {
                let at = slot as usize % SLOTS;
                self.taken[at / 64] &= !(1 << (at % 64));
                match self.ring[at].as_slice() {
                    [_] => alone = self.ring[at].pop(),
                    _ => {
                        std::mem::swap(&mut self.now, &mut self.ring[at]);
                        self.now.sort_unstable_by_key(|due| Reverse(*due));
                    }
                }
                self.slot = slot;
            }
            // The ring is empty: straight to the first page beyond it.
            None => {
                let (first, _) = self.far.first_key_value()?;
                self.slot = first << PAGE_BITS;
                self.open(self.slot >> PAGE_BITS);
            }
        }
        let now = self.slot >> PAGE_BITS;
        if now != page {
            self.open(now + 1);
        }
        Some(alone)
    }

    /// Deals a page that has come near out to its slots.
    fn open(&mut self, page: u64) {
        let Some(mut list) = self.far.remove(&page) else { return };
        for due in list.drain(..) {
            let slot = due.when >> SLOT_BITS;
            if slot <= self.slot {
                self.now.push(due);
            } else {
                self.put(slot, due);
            }
        }
        self.now.sort_unstable_by_key(|due| Reverse(*due));
        if self.spare.len() < SPARE_MAX {
            self.spare.push(list);
        }
    }

    /// The next slot of the ring that has anything.
    fn next_in_ring(&self) -> Option<u64> {
        let first = self.slot + 1;
        // To the end of the next page, a word of 64 slots at a time.
        let end = ((self.slot >> PAGE_BITS) + 2) << PAGE_BITS;
        let mut slot = first;
        while slot < end {
            let at = slot as usize % SLOTS;
            let rest = self.taken[at / 64] >> (at % 64);
            if rest != 0 {
                return Some(slot + u64::from(rest.trailing_zeros()));
            }
            slot = (slot / 64 + 1) * 64;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_the_order_of_time_then_of_asking() {
        let mut agenda = Agenda::default();
        let rng = strategies::rng::Rng::new(3);
        // From the same instant to an hour away, pushed in rounds between pops.
        let mut expected: Vec<(u64, u32)> = Vec::new();
        let (mut sequence, mut now) = (0, 0);
        let mut popped = Vec::new();
        for round in 0..200 {
            for _ in 0..100 {
                let spreads = [1, 1000, 1 << 21, 1 << 24, 1 << 26, 3_600_000_000_000];
                let spread = spreads[(rng.next_u64() % if round % 2 == 0 { 6 } else { 4 }) as usize];
                let when = now + rng.next_u64() % spread;
                sequence += 1;
                agenda.push(Due::new(when, sequence, DueKind::Call(0)));
                expected.push((when, sequence));
            }
            for _ in 0..rng.next_u64() % 200 {
                let Some(due) = agenda.pop() else { break };
                assert!(due.when >= now);
                now = due.when;
                popped.push((due.when, due.sequence()));
                while let Some(due) = agenda.pop_at(now) {
                    popped.push((due.when, due.sequence()));
                }
            }
        }
        popped.extend(std::iter::from_fn(|| agenda.pop()).map(|due| (due.when, due.sequence())));
        assert!(popped.is_sorted());
        expected.sort_unstable();
        assert_eq!(popped, expected);
    }

    #[test]
    fn what_is_due_says_what_it_is() {
        let whats = [DueKind::Sleeper, DueKind::Task].map(|what| [what(0), what(IS_TASK - 1)]);
        for what in whats.into_iter().flatten().chain([DueKind::Call(0), DueKind::Call(IS_CALL - 1)]) {
            let due = Due::new(7, 9, what);
            assert_eq!((due.when, due.sequence(), due.what()), (7, 9, what));
        }
    }
}
