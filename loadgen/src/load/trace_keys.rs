//! What is found out of each key of a trace, where a scenario asks for it: the class that its name fits, and the TTL and the size that its rows
//! state.

use std::path::Path;

use scenarios::{KeyAsks, RowValues, TracedKeys};
use strategies::rng::mix;
use strategies::time::nanos;
use traces::{KeyNumbers, TraceError, TraceOptions, TraceReader, TraceRow};

/// Reads the trace once more, for the keys that have numbers. Every row of theirs is asked, also one that is not replayed: in a trace of a
/// cache only what writes may state a TTL, and what it writes comes before the first read where that was a hit.
///
/// # Errors
/// As [`TraceReader::next_row`].
pub(super) fn traced_keys(
    path: &Path,
    options: &TraceOptions,
    numbers: &KeyNumbers,
    asks: &KeyAsks,
) -> Result<TracedKeys, TraceError> {
    let (mut reader, mut keys) = (TraceReader::open(path, options)?, TracedKeys::default());
    while let Some(row) = reader.next_row()? {
        if let Some(number) = numbers.find(row.key) {
            take(&mut keys, asks, number, &row);
        }
    }
    Ok(keys)
}

/// Takes what a row says of its key, as far as it is asked for. Of TTLs and sizes the first that is stated stays.
fn take(keys: &mut TracedKeys, asks: &KeyAsks, key: u32, row: &TraceRow) {
    let KeyAsks { patterns, values: RowValues { ttl, size } } = asks;
    let at = key as usize - 1;
    if !patterns.is_empty() {
        set_first(&mut keys.class, at, row.class.unwrap_or(0));
    }
    if *ttl {
        // One of less than a nanosecond is one of a nanosecond: 0 is none.
        set_first(&mut keys.ttl_ns, at, row.ttl.map_or(0, |ttl| nanos(ttl).max(1)));
    }
    if *size {
        set_first(&mut keys.size, at, row.size.unwrap_or(0));
    }
}

/// A digest that says, too, what was found out of the keys.
pub(super) fn digest_of_keys(digest: u64, TracedKeys { class, ttl_ns, size }: &TracedKeys) -> u64 {
    let lists = [class.len(), ttl_ns.len(), size.len()].map(|length| length as u64);
    let values = class.iter().map(|class| u64::from(*class)).chain(ttl_ns.iter().copied());
    let values = values.chain(size.iter().map(|size| u64::from(*size)));
    lists.into_iter().chain(values).fold(digest, |hash, word| mix(hash ^ mix(word)))
}

/// Sets a place that is empty, 0, or beyond the end.
fn set_first<T: Copy + Default + PartialEq>(list: &mut Vec<T>, at: usize, value: T) {
    if at >= list.len() {
        list.resize(at + 1, T::default());
    }
    if list[at] == T::default() {
        list[at] = value;
    }
}
