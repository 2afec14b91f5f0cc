//! What the cache's server did of its own, marked on the panels of response time.

use super::html::*;
use super::plot::Plot;
use super::view::{StrategyRow, View};
use crate::record::Strategy;
use crate::text::phrases;

/// Marks of a kind at most: more of them are a grey bar, and no marks.
const MARKS_MAX: usize = 500;
/// What is marked: the class, the words of `cache.csv` that it stands for (one that ends in a colon is the beginning of a word), and what
/// it is called.
const KINDS: [(&str, &[&str], &str); 4] = [
    ("server fork", &["fork", "rewrite-begin", "save-begin"], "fork, or begin of a rewrite or a snapshot"),
    ("server over", &["rewrite-end", "save-end"], "its end"),
    ("server spike", &["latency:", "slow"], "a latency event or a slow command, by the server’s own word"),
    ("server gone", &["evictions", "expiries"], "evictions or expiries begin"),
];

fn is_of(words: &[&str], mark: &str) -> bool {
    words.iter().any(|word| if word.ends_with(':') { mark.starts_with(word) } else { mark == *word })
}

/// Where a row has marks of a kind, seconds.
fn places(row: &StrategyRow<'_>, words: &[&str]) -> Vec<f64> {
    let of = row.digest.server.iter().filter(|sample| sample.marks.split(' ').any(|mark| is_of(words, mark)));
    of.map(|sample| sample.t_ns as f64 / 1e9).filter(|at| *at >= 0.0).take(MARKS_MAX).collect()
}

/// Strokes for what the server did: from top to bottom where it forked, ended that, or told of a delay, and short ones where entries go.
pub(super) fn marks(plot: &mut Plot, row: &StrategyRow<'_>) {
    for (class, words, _) in KINDS {
        let places = places(row, words);
        if class == "server gone" {
            plot.strokes(class, places.into_iter());
        } else {
            plot.verticals(class, places.into_iter());
        }
    }
}

/// What the marks are, where there are any.
pub(super) fn legend(out: &mut Sheet, view: &View<'_>) {
    let any = |words: &[&str]| view.rows.iter().any(|row| !places(row, words).is_empty());
    let there: Vec<_> = KINDS.iter().filter(|(_, words, _)| any(words)).collect();
    if there.is_empty() {
        return;
    }
    out.push_str("<p class=\"how\">Marks of the cache’s server, asked ten times a second: <span class=\"keys\">");
    for (class, _, what) in there {
        put!(out, "<span><i class=\"line {class}\"></i>{}</span>", escaped(what));
    }
    out.push_str("</span></p>\n");
}

/// How many of the slowest requests were near a mark, and would be by chance; nothing where that is not known, or nothing
/// was marked.
pub(super) fn near(strategy: &Strategy) -> String {
    let known = strategy.server.as_ref().and_then(|server| server.slowest_near_share.zip(server.near_by_chance));
    known.filter(|(_, chance)| *chance > 0.0).map_or_else(String::new, |(slowest, chance)| {
        format!(
            " · of the slowest 0.1 % {} near marks, {} by chance",
            phrases::share(Some(slowest)),
            phrases::share(Some(chance))
        )
    })
}
