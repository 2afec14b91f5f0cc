//! Names that are too long to be shown whole: cut so that no two of a run look alike.

use crate::record::{Run, Verdict};
use crate::text::escape;
use crate::text::phrases::cut_in_middle;

/// Each name on one line and in `limit` characters at most. One is cut in its middle, unless what tells it apart from another begins there:
/// then what they share at both ends is cut, and what tells them apart stays.
pub(crate) fn distinct(names: &[&str], limit: usize) -> Vec<String> {
    let whole: Vec<String> = names.iter().map(|name| escape::line(name)).collect();
    let cut: Vec<String> = whole.iter().map(|name| cut_in_middle(name, limit)).collect();
    let alike = |at: usize| -> Vec<&String> {
        whole.iter().filter(|other| differs_where_cut(&whole[at], other, &cut[at])).collect()
    };
    (0..names.len()).map(|at| told_apart(&whole[at], &alike(at), limit).unwrap_or_else(|| cut[at].clone())).collect()
}

/// Whether the first character in which `other` differs from `name` is one that `cut` leaves out.
fn differs_where_cut(name: &str, other: &str, cut: &str) -> bool {
    let length = |text: &str| text.chars().count();
    let same = |(one, two): &(char, char)| one == two;
    let (kept_before, kept_after) = (
        name.chars().zip(cut.chars()).take_while(same).count(),
        name.chars().rev().zip(cut.chars().rev()).take_while(same).count(),
    );
    let shared = name.chars().zip(other.chars()).take_while(same).count();
    name != other && (kept_before..length(name).saturating_sub(kept_after)).contains(&shared)
}

/// The part of a name in which others differ from it, with what fits around it; `None` where there are no others.
fn told_apart(name: &str, others: &[&String], limit: usize) -> Option<String> {
    let chars: Vec<char> = name.chars().collect();
    let ends = |other: &&String| {
        let other: Vec<char> = other.chars().collect();
        let least = chars.len().min(other.len());
        let before = chars.iter().zip(&other).take_while(|(one, two)| one == two).count();
        let after = chars.iter().rev().zip(other.iter().rev()).take_while(|(one, two)| one == two).count();
        (before, after.min(least - before))
    };
    let ends: Vec<(usize, usize)> = others.iter().map(ends).collect();
    let before = ends.iter().map(|(before, _)| *before).min()?;
    let after = ends.iter().map(|(_, after)| *after).min()?;
    let differs = chars.len().saturating_sub(before + after);
    let room = limit.saturating_sub(2);
    if differs > room {
        let middle: String = chars[before..before + differs].iter().collect();
        return Some(cut_in_middle(&middle, limit));
    }
    let spare = room - differs;
    let right = after.min((spare / 3).max(spare.saturating_sub(before)));
    let left = before.min(spare - right);
    let shown: String = chars[before - left..before + differs + right].iter().collect();
    let (head, tail) = (if left < before { "…" } else { "" }, if right < after { "…" } else { "" });
    Some(format!("{head}{shown}{tail}"))
}

/// The run with its strategies' names as they are shown where there is room for so many characters.
pub(crate) fn shortened(run: &Run, limit: usize) -> Run {
    let full: Vec<&str> = run.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
    let short = distinct(&full, limit);
    let of =
        |name: &str| full.iter().position(|one| *one == name).map_or_else(|| name.to_owned(), |at| short[at].clone());
    let mut shown = run.clone();
    for strategy in &mut shown.strategies {
        strategy.name = of(&strategy.name);
        for repeat in &mut strategy.repeats {
            repeat.name.clone_from(&strategy.name);
        }
    }
    let verdicts = run.verdicts.iter();
    shown.verdicts = verdicts.map(|verdict| Verdict { strategy: of(&verdict.strategy), ..verdict.clone() }).collect();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_names_apart_stays() {
        let names = [
            "plain + near(ttl=60s, invalidate=pubsub) + coalesce + lease + invalidate",
            "plain + near(ttl=60s, invalidate=streams) + coalesce + lease + invalidate",
            "plain + near(ttl=60s, invalidate=tracking) + coalesce + lease + invalidate",
            "plain + near(ttl=60s, invalidate=tracking-default) + coalesce + lease + invalidate",
            "broken-tracking-race",
        ];
        for limit in [16, 24, 28, 60] {
            let short = distinct(&names, limit);
            assert!(short.iter().all(|name| name.chars().count() <= limit), "{short:?}");
            let mut sorted = short.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), names.len(), "{short:?}");
        }
        assert_eq!(distinct(&names, 28)[0], "…s, invalidate=pubsub) + co…");
        let breakers =
            ["rate", "consecutive", "in-flight"].map(|rule| format!("plain + cache-breaker(rule={rule}) + lock"));
        let breakers: Vec<&str> = breakers.iter().map(String::as_str).collect();
        assert_eq!(
            distinct(&breakers, 28),
            ["…e-breaker(rule=rate) + loc…", "…aker(rule=consecutive) + l…", "…reaker(rule=in-flight) + l…"],
            "what begins where it is cut is shown from its beginning"
        );
        assert_eq!(distinct(&["naive", "naive"], 28), ["naive"; 2]);
        assert_eq!(distinct(&[names[0]], 28), [cut_in_middle(names[0], 28)], "alone it is cut as ever");
    }
}
