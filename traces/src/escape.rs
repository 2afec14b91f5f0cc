//! Bytes of a file as they may be shown: nothing that commands a terminal or turns the reading direction, and of bounded length.

/// The longest piece of a file that is shown, in characters.
pub const SHOWN_MAX: usize = 60;

/// Letters, digits and ASCII marks as they are, all else escaped; cut at [`SHOWN_MAX`] characters of the file, which `…` tells.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    // Four bytes a character at most, and one character more to see whether there is more.
    let head = &bytes[..bytes.len().min(4 * (SHOWN_MAX + 1))];
    let mut pieces: Vec<String> = Vec::new();
    for chunk in head.utf8_chunks() {
        pieces.extend(chunk.valid().chars().map(|c| match c {
            '\\' => "\\\\".to_owned(),
            c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => c.to_string(),
            c => c.escape_unicode().to_string(),
        }));
        pieces.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    let cut = pieces.len() > SHOWN_MAX || head.len() < bytes.len();
    pieces.truncate(SHOWN_MAX);
    let mut text = pieces.concat();
    if cut {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_commands_nothing_and_is_short() {
        for (bytes, expected) in [
            (&b"user:7"[..], "user:7"),
            (b"a\x1b[31m", "a\\u{1b}[31m"),
            (b"\xff\x00", "\\xff\\u{0}"),
            ("é\u{202e}x".as_bytes(), "é\\u{202e}x"),
            (b"a\\b", "a\\\\b"),
            (b"", ""),
        ] {
            assert_eq!(shown(bytes), expected);
        }
        let long = shown(&vec![b'x'; 1 << 20]);
        assert_eq!((long.chars().count(), long.ends_with('…')), (SHOWN_MAX + 1, true));
        assert_eq!(shown(&[b'x'; SHOWN_MAX]), "x".repeat(SHOWN_MAX));
    }
}
