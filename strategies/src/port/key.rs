//! The key of a cached item.

use std::fmt;

use smol_str::SmolStr;

/// The longest key in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// What stands between a key and the number of its part.
const PART: &str = ":part-";

/// What stands between a key and the number of its copy.
const COPY: &str = ":copy-";

/// A cache key: 1 to [`KEY_BYTES_MAX`] bytes of `A–Z a–z 0–9 . _ - :`.
///
/// The alphabet keeps a key inside its Redis hash tag and out of every log, URL and label as anything but itself. Up to 23 bytes
/// are held in place: a map of a million keys is one table, and neither a lookup nor a clone goes through a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmolStr);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or longer than [`KEY_BYTES_MAX`].
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes, found {0}")]
    Length(usize),
    /// A character outside the alphabet.
    #[error("a key is made of A-Z a-z 0-9 . _ - : and has no {0:?}")]
    Character(char),
}

impl Key {
    /// Checks a text and makes it a key.
    ///
    /// # Errors
    /// [`KeyError`] where the text is too long, empty, or has a character outside the alphabet.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > KEY_BYTES_MAX {
            return Err(KeyError::Length(text.len()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
        match text.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(KeyError::Character(c)),
            None => Ok(Self(text.into())),
        }
    }

    /// The key of the item with this number.
    #[must_use]
    pub fn of_item(number: u32) -> Self {
        // Digit by digit: every simulated request makes one, and the formatter takes three times as long.
        let (mut digits, mut at, mut rest) = ([0; 10], 10, number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        Self(SmolStr::new_inline(std::str::from_utf8(&digits[at..]).unwrap_or_default()))
    }

    /// The number of the item whose key this is.
    #[must_use]
    pub fn item(&self) -> Option<u32> {
        let number = self.0.parse().ok()?;
        // `+7` and `007` are numbers, and no item's key.
        (Self::of_item(number) == *self).then_some(number)
    }

    /// The key of one of an item's parts, from 0: the first is the item's own. One with no room for a suffix has one part.
    #[must_use]
    pub fn part(&self, number: u32) -> Self {
        if number == 0 {
            return self.clone();
        }
        Self::new(&format!("{self}{PART}{number}")).unwrap_or_else(|_| self.clone())
    }

    /// The item's own key, and the number of its part that this is the key of, where it is not the first.
    #[must_use]
    pub fn whole(&self) -> (&str, Option<&str>) {
        self.0.rsplit_once(PART).map_or((&self.0, None), |(whole, part)| (whole, Some(part)))
    }

    /// The name of one of a key's copies: its number, and whatever else tells it. A key too long for a suffix keeps its name: it has one
    /// copy.
    #[must_use]
    pub(crate) fn copy(&self, number: u32, more: &str) -> Self {
        Self::new(&format!("{self}{COPY}{number}{more}")).unwrap_or_else(|_| self.clone())
    }

    /// The key that a copy's name stands for; of any other its own.
    #[must_use]
    pub(crate) fn base(&self) -> Self {
        let base = self.as_str().rsplit_once(COPY).and_then(|(base, _)| Self::new(base).ok());
        base.unwrap_or_else(|| self.clone())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_alphabet_makes_a_key() {
        assert_eq!(Key::new("item:1").unwrap().as_str(), "item:1");
        assert_eq!(Key::new(""), Err(KeyError::Length(0)));
        assert_eq!(Key::new(&"x".repeat(257)), Err(KeyError::Length(257)));
        for (text, c) in [("a b", ' '), ("a}b", '}'), ("a\nb", '\n'), ("ä", 'ä'), ("a/b", '/')] {
            assert_eq!(Key::new(text), Err(KeyError::Character(c)), "{text:?}");
        }
        for number in [0, 7, 10, 99, 4_294_967_295] {
            assert_eq!(Key::of_item(number).as_str(), number.to_string());
        }
        let key = Key::new("7").unwrap();
        assert_eq!((key.part(0), key.part(2).whole()), (key.clone(), ("7", Some("2"))));
        assert_eq!(key.whole(), ("7", None));
        let item = |text: &str| Key::new(text).unwrap().item();
        assert_eq!([item("7"), item("4294967295"), item("0")], [Some(7), Some(u32::MAX), Some(0)]);
        assert_eq!([item("007"), item("4294967296"), item("seven")], [None; 3]);
    }
}
