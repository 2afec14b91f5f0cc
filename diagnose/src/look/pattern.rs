//! The pattern that a key's name follows: `rate:user:123` is `rate:user:*`. Keys of one pattern are one use, and so either all of them
//! have a TTL or none should.

use crate::escape;

/// The longest name whose pattern is looked for, in bytes; of a longer one the beginning counts.
const NAME_MAX: usize = 256;
/// The longest part that is a word, and no number of something.
const WORD_MAX: usize = 32;
const SEPARATORS: [char; 4] = [':', '/', '|', '.'];

/// The pattern of a name: parts with a digit in them are `*`, or their word and `*` where they end in a number.
#[must_use]
pub fn pattern(name: &[u8]) -> String {
    let cut = escape::name(&name[..name.len().min(NAME_MAX)]);
    let mut out = String::new();
    let mut rest = cut.as_str();
    loop {
        let at = rest.find(SEPARATORS);
        out.push_str(&part(&rest[..at.unwrap_or(rest.len())]));
        let Some(at) = at else { return out };
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
}

/// The pattern of names that have no number: the last part is what differs.
#[must_use]
pub fn wider(pattern: &str) -> Option<String> {
    let at = pattern.rfind(SEPARATORS).filter(|_| !pattern.contains('*'))?;
    Some(format!("{}*", &pattern[..=at]))
}

fn part(part: &str) -> String {
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    if word.len() > WORD_MAX || has_digit(word) {
        "*".to_owned()
    } else if word.len() < part.len() {
        format!("{word}*")
    } else {
        part.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_use_have_one_pattern() {
        for (name, expected) in [
            ("rate:user:123", "rate:user:*"),
            ("rate:123:2026120102", "rate:*:*"),
            ("session:3f9a-77bc", "session:*"),
            ("item7", "item*"),
            ("user:1:profile", "user:*:profile"),
            ("page/home", "page/home"),
            ("", ""),
            (":", ":"),
        ] {
            assert_eq!(pattern(name.as_bytes()), expected);
        }
        assert_eq!(wider("user:bob").as_deref(), Some("user:*"));
        assert_eq!((wider("user:*"), wider("user")), (None, None));
        assert!(pattern(&[b'x'; 10_000]).len() < 10);
    }
}
