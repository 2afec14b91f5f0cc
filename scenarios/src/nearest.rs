//! The nearest known name to a misspelt one.
//!
//! One place for the crate's own messages and for the command line's, so that both guess alike. It never guesses wildly:
//! a suggestion that shares little with what was typed is worse than none.

/// Longer words are not compared: a hostile file must not buy quadratic work.
const WORD_MAX: usize = 64;

/// The candidate nearest to `word`, ignoring case, or `None` where nothing is near enough.
///
/// Near means an edit distance (insert, delete, replace, swap of neighbours) of at most a third of the longer word, and
/// never more than 2. The first of equals wins.
///
/// ```
/// assert_eq!(scenarios::nearest("clientz", ["rate", "clients"]), Some("clients"));
/// assert_eq!(scenarios::nearest("banana", ["rate", "clients"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = lowered(word);
    if word.len() > WORD_MAX {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters = lowered(candidate);
            let limit = 2.min(word.len().max(letters.len()) / 3);
            let distance = edits(&word, &letters);
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn lowered(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// Optimal string alignment distance, row by row.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_word_and_strangers_find_none() {
        let words = ["clients", "rate", "ttl", "n", "for", "singleflight", "swr"];
        for (typed, expected) in [
            ("clientz", Some("clients")),
            ("Clients", Some("clients")),
            ("ttll", Some("ttl")),
            ("fro", Some("for")),
            ("siglefligt", Some("singleflight")),
            ("x", None),
            ("", None),
            ("banana", None),
            ("service", None),
        ] {
            assert_eq!(nearest(typed, words), expected, "{typed}");
        }
        assert_eq!(nearest(&"n".repeat(1000), words), None);
    }

    #[test]
    fn the_nearer_of_two_wins() {
        assert_eq!(nearest("hits", ["bits", "hit", "hits"]), Some("hits"));
    }
}
