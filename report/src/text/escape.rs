//! Text of anybody's in each medium that the lab writes: one function each, and no other place that escapes.
//!
//! A name in a record, a file, an argument or a server's answer may hold markup, a terminal's commands, or characters that turn
//! the reading direction round. Whatever is printed or written passes through the function of its medium; JSON is serde's.

/// What stands for a character that must not be shown.
const REPLACED: char = '\u{fffd}';

/// Whether a character is no text: it commands a terminal, breaks a line, turns the reading direction, or is not seen at all.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// One line of plain text: for a terminal, a table's cell, a chart.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { REPLACED } else { c }).collect()
}

/// Plain text of several lines, for a terminal: as [`line()`], and its line breaks and tabs stay.
#[must_use]
pub fn lines(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) && !matches!(c, '\n' | '\t') { REPLACED } else { c }).collect()
}

/// HTML, SVG and XML, in content and in quoted attributes alike.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text that Markdown takes for text: no markup, no HTML, no table cell, no link of it.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span of Markdown, which may stand in a table's cell.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let text = line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A code block of Markdown, its fence longer than any run of backticks in it. Line breaks stay.
#[must_use]
pub fn markdown_block(language: &str, text: &str) -> String {
    let text = lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// JSON that was written already, for a terminal: the same document, with what a terminal would obey or turn round as `\u`.
#[must_use]
pub fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        // Outside its strings JSON has no such character, and in them control characters are escaped already.
        if is_harmful(c) && !matches!(c, '\n' | '\t' | '\r') {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "a|b`c\u{1b}[31m\u{202e}<script>\"'\n\u{e0041}";

    #[test]
    fn nothing_passes_that_its_medium_would_obey() {
        for (medium, text) in [("line", line(NAME)), ("html", html(NAME)), ("markdown", markdown(NAME))] {
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\n', '\u{e0041}']), "{medium}: {text:?}");
        }
        assert!(lines("a\n\tb\u{1b}").ends_with("a\n\tb\u{fffd}"));
        assert!(!html(NAME).contains(['<', '"', '\'']));
        assert!(markdown(NAME).contains("a\\|b\\`c") && !markdown(NAME).contains('<'));
        assert_eq!(markdown_code("a|b"), "`a\\|b`");
        assert_eq!(markdown_code("a``b"), "``` a``b ```");
        assert_eq!(markdown_block("text", "a ``` b\n"), "````text\na ``` b\n````");
    }

    #[test]
    fn json_is_the_same_document() {
        let document = serde_json::to_string_pretty(&[NAME, "é—µ"]).unwrap();
        let shown = json(&document);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{e0041}']) && shown.contains("\\u202e"), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [NAME, "é—µ"]);
    }
}
