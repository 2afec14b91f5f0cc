//! What the cache's server did of its own: what is marked where response times are drawn, and where.

use crate::record::ServerRow;

/// Marks of a kind at most: more of them are a grey bar, and no marks.
const MARKS_MAX: usize = 500;

/// A kind of marks.
pub(crate) struct ServerMarkKind {
    /// Its name in the page's style sheet.
    pub(crate) class: &'static str,
    /// The words of `cache.csv` that it stands for; one that ends in a colon is the beginning of a word.
    words: &'static [&'static str],
    /// What it is called.
    pub(crate) what: &'static str,
    /// Whether its strokes are short ones at the panel's foot: there may be many.
    pub(crate) short: bool,
}

pub(crate) const SERVER_MARK_KINDS: [ServerMarkKind; 4] = [
    ServerMarkKind {
        class: "server fork",
        words: &["fork", "rewrite-begin", "save-begin"],
        what: "fork, or begin of a rewrite or a snapshot",
        short: false,
    },
    ServerMarkKind { class: "server over", words: &["rewrite-end", "save-end"], what: "its end", short: false },
    ServerMarkKind {
        class: "server spike",
        words: &["latency:", "slow"],
        what: "a latency event or a slow command, by the server’s own word",
        short: false,
    },
    ServerMarkKind {
        class: "server gone",
        words: &["evictions", "expiries"],
        what: "evictions or expiries begin",
        short: true,
    },
];

impl ServerMarkKind {
    fn has(&self, mark: &str) -> bool {
        self.words.iter().any(|word| if word.ends_with(':') { mark.starts_with(word) } else { mark == *word })
    }

    /// Where there are marks of this kind in the measured phase, seconds.
    pub(crate) fn places<'a>(&'a self, server: &'a [ServerRow]) -> impl Iterator<Item = f64> + 'a {
        let of = server.iter().filter(|sample| sample.marks.split(' ').any(|mark| self.has(mark)));
        of.map(|sample| sample.t_ns as f64 / 1e9).filter(|at| *at >= 0.0).take(MARKS_MAX)
    }
}
