//! The key of a cached item.

use std::fmt;
use std::sync::Arc;

/// The longest key in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// A cache key: 1 to [`KEY_BYTES_MAX`] bytes of `A–Z a–z 0–9 . _ - :`.
///
/// The alphabet keeps a key inside its Redis hash tag and out of every log, URL and label as anything but itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

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
        Self(number.to_string().into())
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
        assert_eq!(Key::of_item(7).as_str(), "7");
    }
}
