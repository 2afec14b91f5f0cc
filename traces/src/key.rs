//! Keys without their names: a seeded hash to tell them apart, and a seeded pseudonym to show.
//!
//! Both are SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012). A hash tells n keys apart but for a
//! probability of n²/2⁶⁵ (birthday bound): 3·10⁻⁸ for a million keys, 7·10⁻⁵ for fifty million. A pseudonym has 128 bits.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use strategies::rng::mix;

/// A key's name as 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub u64);

/// What is known of keys' names beside their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyNames {
    /// Nothing: rows have no names.
    #[default]
    Hidden,
    /// The [`pseudonym`] under this seed.
    Pseudonyms(u64),
    /// The names as they stand in the file.
    Clear,
}

/// The key's hash under a seed.
#[must_use]
pub fn hashed(seed: u64, name: &[u8]) -> KeyHash {
    let (one, other) = halves(seed);
    let mut hasher = SipHasher13::new_with_keys(one, other);
    hasher.write(name);
    KeyHash(hasher.finish())
}

/// The key's pseudonym under a seed: 32 hexadecimal digits, SipHash-2-4 with 128 bits of result.
///
/// The same name has the same pseudonym under the same seed, so a trace keeps its popularity. This is pseudonymisation: whoever has the
/// seed, which is 64 bits long, and can guess a key's name can find out whether it is in the trace. It is no protection against them.
#[must_use]
pub fn pseudonym(seed: u64, name: &[u8]) -> String {
    // Other keys than the hash has: the one says nothing about the other.
    let (one, other) = halves(mix(seed ^ 0x7073_6575_646f_6e79));
    let mut hasher = SipHasher24::new_with_keys(one, other);
    hasher.write(name);
    format!("{:032x}", hasher.finish128().as_u128())
}

impl KeyNames {
    pub(crate) fn of(self, name: &[u8]) -> Option<Box<[u8]>> {
        match self {
            Self::Hidden => None,
            Self::Pseudonyms(seed) => Some(pseudonym(seed, name).into_bytes().into()),
            Self::Clear => Some(name.into()),
        }
    }
}

/// The two halves of a SipHash key, made of one seed.
fn halves(seed: u64) -> (u64, u64) {
    let one = mix(seed);
    (one, mix(one ^ 0x9E37_79B9_7F4A_7C15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_stable_and_the_seed_s_own() {
        let name = pseudonym(7, b"user:1");
        assert_eq!(name.len(), 32);
        assert_eq!(name, pseudonym(7, b"user:1"));
        assert_ne!(name, pseudonym(8, b"user:1"));
        assert_ne!(name, pseudonym(7, b"user:2"));
        assert_ne!(hashed(7, b"user:1"), hashed(8, b"user:1"));
        assert_eq!(KeyNames::Hidden.of(b"user:1"), None);
    }
}
