//! Words as people type them: the nearest name to a mistyped one.

/// The candidate that `word` most likely stands for: within a third of its length in edits, case ignored.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let measured = candidates.into_iter().map(|c| (edits(&word, &c.to_lowercase()), c));
    measured.filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Edit distance with transpositions (Damerau's restricted distance).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["naive", "singleflight", "swr", "xfetch", "jitter"];
        for (typed, meant) in [
            ("xfetsh", Some("xfetch")),
            ("swt", Some("swr")),
            ("singelflight", Some("singleflight")),
            ("Naive", Some("naive")),
            ("varnish", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
    }
}
