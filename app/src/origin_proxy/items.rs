//! Which requests are reads of items, and of which: a path with `{key}` in it, or a regular expression with one group.

use regex::Regex;

/// The place of the key in a template.
const KEY: &str = "{key}";
/// The longest pattern, and the most that it may take when it is compiled.
const PATTERN_MAX: usize = 1000;
const COMPILED_MAX: usize = 1 << 20;
/// The longest key that is kept whole, bytes.
const KEY_MAX: usize = 128;

/// Which paths are items.
#[derive(Debug, Clone)]
pub struct Items {
    pattern: Regex,
    /// Whether the pattern is for the path and its query.
    with_query: bool,
}

impl Items {
    /// Reads `/items/{key}`, or a regular expression with one group, which is the key.
    ///
    /// # Errors
    /// What is wrong with it, and the remedy.
    pub fn read(text: &str) -> Result<Self, String> {
        let example =
            "write a path with {key} in it, as /items/{key}, or a regular expression with one group, as ^/p/([0-9]+)";
        if text.len() > PATTERN_MAX {
            return Err(format!("found {} characters, allowed {PATTERN_MAX} · shorten it", text.len()));
        }
        let (pattern, with_query) = match text.split_once(KEY) {
            Some((_, after)) if after.contains(KEY) => {
                return Err(format!("found {KEY} more than once, allowed once · {example}"));
            }
            Some((before, _)) if !before.starts_with('/') => {
                return Err(format!("found a path that does not begin with / · {example}"));
            }
            Some((before, after)) => {
                let escape = regex::escape;
                (format!("^{}([^/?&]+){}$", escape(before), escape(after)), text.contains('?'))
            }
            None => (text.to_owned(), true),
        };
        let compiled = regex::RegexBuilder::new(&pattern).size_limit(COMPILED_MAX).build();
        let pattern = compiled.map_err(|e| {
            let why = e.to_string();
            format!("{} · {example}", why.lines().last().unwrap_or_default().trim_start_matches("error: "))
        })?;
        match pattern.captures_len() {
            2 => Ok(Self { pattern, with_query }),
            groups => Err(format!("found {} groups, needed one · {example}", groups - 1)),
        }
    }

    /// The key that a path with its query asks for, as the path writes it; a long one is cut, and told apart by a checksum.
    #[must_use]
    pub fn key_of(&self, path_and_query: &str) -> Option<String> {
        let path = path_and_query.split('?').next().unwrap_or_default();
        let asked = if self.with_query { path_and_query } else { path };
        let key = self.pattern.captures(asked)?.get(1)?.as_str();
        if key.len() <= KEY_MAX {
            return Some(key.to_owned());
        }
        let kept: String = key.chars().take(KEY_MAX / 2).collect();
        Some(format!("{kept}~{:08x}{:08x}", key.len(), crc32fast::hash(key.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_and_an_expression_say_which_key_is_asked_for() {
        for (pattern, asked, key) in [
            ("/items/{key}", "/items/7", Some("7")),
            ("/items/{key}", "/items/7?x=1", Some("7")),
            ("/items/{key}", "/items/7/reviews", None),
            ("/items/{key}", "/v2/items/7", None),
            ("/items/{key}.json", "/items/a-b.json", Some("a-b")),
            ("/items/{key}.json", "/items/7xjson", None),
            ("/get?id={key}", "/get?id=9", Some("9")),
            ("/get?id={key}", "/get?id=9&x=1", None),
            ("^/p/([0-9]+)", "/p/12/reviews?page=2", Some("12")),
            ("[?&]id=([0-9]+)", "/get?x=1&id=5", Some("5")),
            ("^/p/([0-9]+)?$", "/p/", None),
        ] {
            assert_eq!(Items::read(pattern).unwrap().key_of(asked).as_deref(), key, "{pattern}: {asked}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_and_a_long_key_is_told_apart() {
        for (pattern, said) in [
            ("/items", "found 0 groups"),
            ("/(a)/(b)", "found 2 groups"),
            ("items/{key}", "does not begin with /"),
            ("/{key}/{key}", "more than once"),
            ("/(", "unclosed group"),
            (&"x".repeat(1001), "allowed 1000"),
            ("(a{1000}){1000}", "size limit"),
        ] {
            let why = Items::read(pattern).unwrap_err();
            assert!(why.contains(said), "{pattern}: {why}");
        }
        let items = Items::read("/items/{key}").unwrap();
        let of = |last: char| items.key_of(&format!("/items/{}{last}", "k".repeat(5000))).unwrap();
        assert!(of('a').len() <= KEY_MAX && of('a') != of('b'), "{}", of('a'));
    }
}
