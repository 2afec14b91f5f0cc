//! Words as people type them: the nearest name to a mistyped one.

/// The candidate that `word` most likely stands for: within a third of its length in edits, case ignored.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let measured = candidates.into_iter().map(|c| (strsim::osa_distance(&word, &c.to_lowercase()), c));
    measured.filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, c)| c)
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
