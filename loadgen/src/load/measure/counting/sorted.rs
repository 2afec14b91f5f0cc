//! A tape in the order in which its increments were answered: several workers wrote it, so it is nearly in order and not quite.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use super::increment::{IncrementTape, SeenIncrement};

/// Shows all of them in order, where none was written more than `disorder_ns` late. Held is what was answered within so much time.
pub(super) fn in_order(tape: &IncrementTape, disorder_ns: i64, mut visit: impl FnMut(SeenIncrement)) -> io::Result<()> {
    let mut waiting: BinaryHeap<Reverse<(i64, u64, [u8; SeenIncrement::BYTES])>> = BinaryHeap::new();
    let (mut latest, mut number) = (i64::MIN, 0);
    tape.each(|record| {
        let done = SeenIncrement::read(record).done_ns;
        latest = latest.max(done);
        number += 1;
        waiting.push(Reverse((done, number, *record)));
        while let Some(Reverse((done, _, record))) = waiting.peek()
            && *done < latest.saturating_sub(disorder_ns)
        {
            visit(SeenIncrement::read(record));
            waiting.pop();
        }
        Ok(())
    })?;
    while let Some(Reverse((_, _, record))) = waiting.pop() {
        visit(SeenIncrement::read(&record));
    }
    Ok(())
}
