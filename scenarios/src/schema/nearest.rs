//! "Did you mean …?": the question at the end of a message about an unknown name.
//!
//! One place, so that every message guesses alike; what is near is decided by `strategies::nearest`, as for a SPEC.

pub use strategies::nearest::nearest;

/// Longer words are no misspelling: a hostile file must not buy quadratic work.
const WORD_MAX: usize = 64;

/// `, did you mean `clients`?`, or nothing where nothing is near.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    near(word, candidates).map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// The nearest candidate to a word of sensible length.
pub(crate) fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_MAX {
        return None;
    }
    nearest(word, candidates)
}
