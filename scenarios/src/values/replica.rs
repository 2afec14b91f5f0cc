//! What a replica can do at a time.

use std::fmt::Write as _;

use strategies::Slots;

use crate::schema::walk::{Fields, Walk};

const MOST: u32 = 1_000_000;
const QUEUE_DEFAULT: u32 = 1024;

/// Reads `[replica]`: its request slots, which are as many as come where nothing is said.
pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Slots> {
    let concurrency = walk.integer(fields, "concurrency", 1..=MOST, None);
    let queue = walk.integer(fields, "queue", 0..=MOST, Some(QUEUE_DEFAULT));
    Some(Slots { concurrency: concurrency?, queue: queue? })
}

pub(crate) fn write(slots: &Slots, out: &mut String) {
    let _ = writeln!(out, "\n[replica]\nconcurrency = {}\nqueue = {}", slots.concurrency, slots.queue);
}
