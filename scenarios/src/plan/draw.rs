//! Random bits as a pure function of a seed and a position.
//!
//! A stream would tie each number to how many were drawn before it; a position does not, so any thread may ask for any
//! request of a plan, in any order, and get the same. Changing anything here changes every plan: raise
//! `plan::digest::ALGORITHM` with it.

use strategies::rng::{mix, unit};

/// 2⁶⁴ divided by the golden ratio: keeps zeros and small numbers apart before they are mixed.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a number is drawn for: two purposes never share their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Key = 1,
    Think = 2,
    Gap = 3,
    Service = 4,
    Missing = 5,
    Write = 6,
    WriteKey = 7,
    WriteGap = 8,
    Class = 9,
    WriteClass = 10,
}

/// The numbers of one purpose at one position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PurposeDraws(u64);

impl PurposeDraws {
    pub(crate) fn at(seed: u64, purpose: Purpose, who: u64, n: u64) -> Self {
        Self([purpose as u64, who, n].into_iter().fold(mix(seed), fold))
    }

    /// The `index`-th 64 bits of this position.
    pub(crate) fn bits(self, index: u64) -> u64 {
        fold(self.0, index)
    }

    /// The `index`-th number in [0, 1) of this position.
    pub(crate) fn unit(self, index: u64) -> f64 {
        unit(self.bits(index))
    }

    /// The `index`-th number of this position, even over 0 to `n` − 1 (Lemire, ACM TOMACS 29(1), 2019, without its
    /// rejection: the bias is below n/2⁶⁴).
    pub(crate) fn below(self, index: u64, n: u32) -> u32 {
        ((u128::from(self.bits(index)) * u128::from(n)) >> 64) as u32
    }
}

/// One more word into a hash: a bijection of either argument while the other stands.
pub(crate) fn fold(hash: u64, word: u64) -> u64 {
    mix(hash.wrapping_add(GOLDEN) ^ mix(word.wrapping_add(GOLDEN)))
}
