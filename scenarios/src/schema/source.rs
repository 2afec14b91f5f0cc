//! Where a value was written, and how that place is shown.
//!
//! A value comes from the file or from a `--set`; everything that reports a problem says which, and nothing else needs
//! the text again. What is shown from a file is escaped: a scenario may be hostile, a terminal obeys control bytes.

use std::ops::Range;

/// Widest piece of a source line that is shown, in characters.
const LINE_MAX: usize = 120;
/// Longest value that is quoted in a sentence, in characters.
const FOUND_MAX: usize = 60;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SourcePlace {
    /// Bytes of the file.
    File { start: usize, end: usize },
    /// The override of that number.
    Set(usize),
}

impl From<Range<usize>> for SourcePlace {
    fn from(range: Range<usize>) -> Self {
        Self::File { start: range.start, end: range.end }
    }
}

impl SourcePlace {
    /// Whether nothing is written there.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::File { start, end } if start >= end)
    }
}

/// The texts that a scenario is made from.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// Dotted path and value text of each `--set`, in the order given.
    pub(crate) sets: &'a [(String, String)],
}

impl Source<'_> {
    /// `file:line:col`, or the `--set` itself.
    pub(crate) fn name(&self, place: &SourcePlace) -> String {
        match place {
            SourcePlace::File { start, .. } => {
                let (line, column, _) = self.line_at(*start);
                format!("{}:{line}:{column}", safe(self.file, usize::MAX))
            }
            SourcePlace::Set(index) => self
                .sets
                .get(*index)
                .map_or_else(String::new, |(path, value)| safe(&format!("--set {path}={value}"), LINE_MAX)),
        }
    }

    /// What stands at a place, as it was written, cut to one line.
    pub(crate) fn found(&self, place: &SourcePlace) -> String {
        let written = match place {
            SourcePlace::File { start, end } => self.text.get(*start..*end),
            SourcePlace::Set(index) => self.sets.get(*index).map(|(_, value)| value.as_str()),
        };
        match written.unwrap_or_default().trim() {
            "" => "nothing".to_owned(),
            text => safe(text.lines().next().unwrap_or_default(), FOUND_MAX),
        }
    }

    /// The source line with a caret under the place; `None` for a `--set`, which is its own excerpt.
    pub(crate) fn excerpt(&self, place: &SourcePlace) -> Option<String> {
        let SourcePlace::File { start, end } = place else {
            return None;
        };
        let (number, column, line) = self.line_at(*start);
        let first = column.saturating_sub(LINE_MAX / 2 + 1);
        let shown: String = line.chars().skip(first).take(LINE_MAX).map(plain).collect();
        let before = column - 1 - first;
        let marked = self.text.get(*start..*end).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        let room = shown.chars().count().saturating_sub(before);
        let carets = "^".repeat(marked.min(room).max(1));
        let gutter = " ".repeat(number.to_string().len());
        Some(format!("  {number} | {}\n  {gutter} | {}{carets}", shown.trim_end(), " ".repeat(before)))
    }

    /// Line and column (in characters), both from 1, and the line's text.
    fn line_at(&self, offset: usize) -> (usize, usize, &str) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        (number, before[start..].chars().count() + 1, line)
    }
}

/// `text` cut to `max` characters and without anything that a terminal would obey.
pub(crate) fn safe(text: &str, max: usize) -> String {
    let mut shown: String = text.chars().take(max).map(plain).collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}

/// One character for one character, so that a caret stays where it belongs.
fn plain(c: char) -> char {
    let reorders = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match c {
        '\t' => ' ',
        c if c.is_control() || reorders => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_its_line_and_a_caret() {
        let source = Source { file: "a.toml", text: "x = 1\nµ = \t22 # é\r\n", sets: &[] };
        let at = source.text.find("22").unwrap();
        let place = SourcePlace::from(at..at + 2);
        assert_eq!(source.name(&place), "a.toml:2:6");
        assert_eq!(source.found(&place), "22");
        assert_eq!(source.excerpt(&place).unwrap(), "  2 | µ =  22 # é\n    |      ^^");
    }

    #[test]
    fn a_long_or_hostile_line_is_cut_and_made_harmless() {
        let text = format!("{}\u{1b}[31m = 5", "k".repeat(5000));
        let source = Source { file: "a.toml", text: &text, sets: &[] };
        let excerpt = source.excerpt(&SourcePlace::from(text.len() - 1..text.len())).unwrap();
        assert!(!excerpt.contains('\u{1b}'));
        assert!(excerpt.len() < 400, "{excerpt}");
        assert!(excerpt.ends_with('^'));
    }
}
