//! An item's value: text that no compression makes smaller, but for as much of it as the scenario says.
//!
//! Real values are JSON, HTML, serialised objects: they compress a little, seldom away. A value of one letter, which is easier to
//! make, is 1.8 KB in Redis where 420 KiB were asked for. So a value is a pure function of (seed, item, version): first its
//! compressible share, one letter again and again, then letters and digits drawn from the base64url alphabet. LZ4 looks for repeats
//! only and finds none in them; an entropy coder would save the 2 bits of 8 that such a letter does not use. The next version
//! is the same text turned round, so that no two versions have the same bytes at the same place.

use scenarios::SizeLaw;
use strategies::ByItem;
use strategies::rng::mix;

/// 64 letters that need no escape in JSON, a URL or a log: 6 bits each.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What the compressible share is made of.
const FILLER: char = 'x';
/// Letters in a word of 64 bits.
const PER_WORD: u32 = 10;

/// The size of a value, and what it is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueShape {
    /// The run's seed.
    pub(crate) seed: u64,
    /// How large values are.
    pub(crate) sizes: ByItem<SizeLaw>,
    /// The share of a value that is filler, 0 to 1.
    pub(crate) compressible: f64,
}

impl ValueShape {
    /// The value of an item's first version.
    #[must_use]
    pub(crate) fn first(&self, number: u32) -> String {
        let bytes = self.sizes.of(number).of(self.seed, number);
        let filler = ((f64::from(bytes) * self.compressible).round() as u32).min(bytes);
        let mut value = String::with_capacity(bytes as usize + PER_WORD as usize);
        value.extend(std::iter::repeat_n(FILLER, filler as usize));
        // A counter that is mixed: SplitMix64, whose state is the item's own.
        let mut state = mix(mix(self.seed ^ 0x0076_616c_7565) ^ u64::from(number));
        for _ in 0..(bytes - filler).div_ceil(PER_WORD) {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let word = mix(state);
            value.extend((0..PER_WORD).map(|at| char::from(LETTERS[(word >> (6 * at)) as usize % LETTERS.len()])));
        }
        value.truncate(bytes as usize);
        value
    }
}

/// A version's value, from that of the first.
#[must_use]
pub(crate) fn of_version(first: &str, version: u64) -> String {
    // The first one is not turned: mix(0) is 0.
    let at = mix(version.saturating_sub(1)) % (first.len() as u64).max(1);
    let (head, tail) = first.split_at_checked(at as usize).unwrap_or((first, ""));
    [tail, head].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_size(seed: u64, bytes: u32, compressible: f64) -> ValueShape {
        ValueShape { seed, sizes: SizeLaw::Constant(bytes).into(), compressible }
    }

    fn packed(value: &str) -> usize {
        lz4_flex::block::compress(value.as_bytes()).len()
    }

    #[test]
    fn a_value_is_a_function_of_seed_item_and_version_and_as_long_as_it_says() {
        for (bytes, filler_bytes) in [(1, 0), (9, 0), (10, 0), (256, 0), (4001, 4000), (5, 5), (70_000, 21_000)] {
            let shape = of_size(7, bytes, f64::from(filler_bytes) / f64::from(bytes));
            let value = shape.first(3);
            assert_eq!(value.len(), bytes as usize);
            assert!(value.bytes().all(|letter| LETTERS.contains(&letter)));
            assert_eq!(
                value.bytes().take_while(|letter| *letter == b'x').count() as u32 / filler_bytes.max(1),
                u32::from(filler_bytes > 0)
            );
            assert_eq!(value, shape.first(3));
            assert_eq!(of_version(&value, 1), value);
            assert_eq!(of_version(&value, 2).len(), value.len());
        }
        let of = |seed, number, version| of_version(&of_size(seed, 300, 0.0).first(number), version);
        let all = [of(7, 3, 1), of(8, 3, 1), of(7, 4, 1), of(7, 3, 2), of(7, 3, 3)];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }

    #[test]
    fn lz4_saves_the_filler_and_nothing_else() {
        let bytes = 430_080;
        for share in [0.0, 0.3, 0.9, 1.0] {
            let value = of_size(1, bytes, share).first(1);
            let left = packed(&of_version(&value, 5)) as f64 / f64::from(bytes);
            assert!((left - (1.0 - share)).abs() < 0.01, "{share}: {left}");
        }
    }
}
