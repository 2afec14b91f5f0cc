//! Keys as item numbers: dense, from 1, by first appearance.
//!
//! A table of its own for its size: a key costs 8 bytes for its hash and 4 for its slot, 13 to 18 with the room that the table keeps
//! free (open addressing, at most three quarters full), and up to 8 more while the list of hashes has grown ahead. Two keys with one
//! hash become one item: of n keys that is to be expected n²/2⁶⁵ times, 7·10⁻⁵ for fifty million.

use crate::error::TraceError;
use crate::key::KeyHash;

/// The most distinct keys where nothing else is said.
pub const KEYS_MAX: u32 = 50_000_000;

/// An empty slot.
const FREE: u32 = 0;
const SLOTS_MIN: usize = 64;

/// A dictionary from keys to the numbers 1..=n.
#[derive(Debug, Clone)]
pub struct KeyNumbers {
    /// By number, from 1 on.
    hashes: Vec<KeyHash>,
    /// Numbers, where their hash says; a power of two of them.
    slots: Vec<u32>,
    max: u32,
}

impl Default for KeyNumbers {
    fn default() -> Self {
        Self::new(KEYS_MAX)
    }
}

impl KeyNumbers {
    /// For at most so many distinct keys.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self { hashes: Vec::new(), slots: vec![FREE; SLOTS_MIN], max: max.min(u32::MAX - 1) }
    }

    /// The key's number, from 1: the next one where it was not seen before.
    ///
    /// # Errors
    /// [`TraceError::TooManyKeys`] where it would be one key too many.
    pub fn number(&mut self, key: KeyHash) -> Result<u32, TraceError> {
        let slot = self.slot(key);
        if self.slots[slot] != FREE {
            return Ok(self.slots[slot]);
        }
        if self.distinct() >= self.max {
            return Err(TraceError::TooManyKeys { max: self.max });
        }
        self.hashes.push(key);
        let number = self.distinct();
        self.slots[slot] = number;
        if self.hashes.len() >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        Ok(number)
    }

    /// The key's number, where it has one.
    #[must_use]
    pub fn find(&self, key: KeyHash) -> Option<u32> {
        Some(self.slots[self.slot(key)]).filter(|number| *number != FREE)
    }

    /// How many keys have a number: n.
    #[must_use]
    pub fn distinct(&self) -> u32 {
        // No more than `max` are added.
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX)
    }

    /// The key with this number.
    #[must_use]
    pub fn key(&self, number: u32) -> Option<KeyHash> {
        self.hashes.get((number as usize).checked_sub(1)?).copied()
    }

    /// Where the key is, or where it would be put. There is always a free slot.
    fn slot(&self, key: KeyHash) -> usize {
        let last = self.slots.len() - 1;
        let mut at = key.0 as usize & last;
        loop {
            match self.slots[at] {
                FREE => return at,
                number if self.hashes[number as usize - 1] == key => return at,
                _ => at = (at + 1) & last,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; self.slots.len() * 2];
        for (number, key) in (1..).zip(0..self.hashes.len()) {
            let slot = self.slot(self.hashes[key]);
            self.slots[slot] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strategies::rng::mix;

    #[test]
    fn numbers_are_dense_and_stay() {
        let mut numbers = KeyNumbers::new(10_000);
        for round in 0..2 {
            for n in 0..10_000_u32 {
                assert_eq!(numbers.number(KeyHash(mix(u64::from(n)))).unwrap(), n + 1, "round {round}");
            }
        }
        assert_eq!((numbers.distinct(), numbers.find(KeyHash(mix(99)))), (10_000, Some(100)));
        assert_eq!(numbers.key(100), Some(KeyHash(mix(99))));
        assert_eq!((numbers.key(0), numbers.key(10_001), numbers.find(KeyHash(5))), (None, None, None));
        let error = numbers.number(KeyHash(1)).unwrap_err().to_string();
        assert!(error.starts_with("more than 10000 distinct keys · cut the trace"), "{error}");
    }

    #[test]
    fn hashes_that_share_their_low_bits_are_told_apart() {
        let mut numbers = KeyNumbers::default();
        for n in 0..1000_u64 {
            assert_eq!(u64::from(numbers.number(KeyHash(n << 40)).unwrap()), n + 1);
        }
    }
}
