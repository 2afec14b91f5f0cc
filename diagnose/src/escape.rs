//! Words of a server and names of keys, as they may be shown: nothing that commands a terminal or turns the reading direction, and of
//! bounded length. A key's name may be any bytes, and half a gigabyte of them.

/// The longest name of a key that is shown, in characters.
const NAME_MAX: usize = 80;
/// The longest sentence of a server that is passed on, in characters.
const SENTENCE_MAX: usize = 300;

/// A key's name: letters, digits and ASCII marks as they are, all else escaped.
#[must_use]
pub fn name(bytes: &[u8]) -> String {
    // Four bytes a character at most, and one character more to see whether there is more.
    let head = &bytes[..bytes.len().min(4 * (NAME_MAX + 1))];
    let mut shown = String::new();
    let mut length = 0;
    for chunk in head.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut shown, &mut length, |out| match c {
                '\\' => out.push_str("\\\\"),
                c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => out.push(c),
                c => out.extend(c.escape_unicode()),
            });
        }
        for byte in chunk.invalid() {
            push(&mut shown, &mut length, |out| out.push_str(&format!("\\x{byte:02x}")));
        }
    }
    if length > NAME_MAX || head.len() < bytes.len() {
        shown.push('…');
    }
    shown
}

fn push(shown: &mut String, length: &mut usize, add: impl FnOnce(&mut String)) {
    *length += 1;
    if *length <= NAME_MAX {
        add(shown);
    }
}

/// A server's sentence as one line of bounded length.
#[must_use]
pub fn sentence(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(&said[..said.len().min(4 * SENTENCE_MAX)]);
    let line = text.trim().lines().next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_graphic() || *c == ' ' || c.is_alphanumeric() || *c == '…';
    line.chars().filter(plain).take(SENTENCE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_command_nothing() {
        for (bytes, expected) in [
            (&b"user:7"[..], "user:7"),
            (b"a\x1b[31m", "a\\u{1b}[31m"),
            (b"\xff\x00", "\\xff\\u{0}"),
            ("é\u{202e}x".as_bytes(), "é\\u{202e}x"),
            (b"a\\b", "a\\\\b"),
            (b"", ""),
        ] {
            assert_eq!(name(bytes), expected);
        }
        let long = name(&vec![b'x'; 1 << 20]);
        assert_eq!((long.chars().count(), long.ends_with('…')), (NAME_MAX + 1, true));
        assert_eq!(name(&[b'x'; NAME_MAX]), "x".repeat(NAME_MAX));
    }

    #[test]
    fn a_sentence_is_one_line() {
        assert_eq!(sentence(b"ERR no\x1b[2J\r\nmore"), "ERR no[2J");
        assert_eq!(sentence(&vec![b'x'; 1 << 20]).len(), SENTENCE_MAX);
    }
}
