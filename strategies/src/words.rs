//! Words and units as people type them: the nearest name to a mistyped one, and durations.

use std::time::Duration;

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

/// The units of a duration, in nanoseconds, longest name first where one ends in another.
const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Reads `10s`, `1.5s`, `50ms`, `5m`: a number that is finite and not negative, and a unit.
///
/// # Errors
/// One sentence that says what is wrong and what would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let value: f64 =
        number.parse().map_err(|_| format!("{text:?} is no duration; write a number and a unit, as 5s"))?;
    if unit.is_empty() {
        return Err(format!("{text:?} needs a unit, e.g. {text}s or {text}ms"));
    }
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("{unit:?} is no unit of time; use ns, us, ms, s, m or h"));
    };
    if value < 0.0 {
        return Err(format!("{text:?} is negative"));
    }
    let nanos = value * scale;
    if !nanos.is_finite() || nanos > 1e17 {
        return Err(format!("{text:?} is too long; at most about three years"));
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// Writes a duration with the largest unit that keeps it whole: `5s`, `1500ms`, `250us`.
#[must_use]
pub fn say_duration(d: Duration) -> String {
    let nanos = d.as_nanos();
    for (unit, scale) in
        [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)]
    {
        if nanos >= scale && nanos.is_multiple_of(scale) {
            return format!("{}{unit}", nanos / scale);
        }
    }
    if nanos == 0 { "0s".into() } else { format!("{nanos}ns") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_say() {
        for (text, nanos, said) in [
            ("5s", 5_000_000_000, "5s"),
            ("1.5s", 1_500_000_000, "1500ms"),
            ("90s", 90_000_000_000, "90s"),
            ("2m", 120_000_000_000, "2m"),
            ("250us", 250_000, "250us"),
            ("250µs", 250_000, "250us"),
            ("0s", 0, "0s"),
            ("7ns", 7, "7ns"),
        ] {
            let d = duration(text).unwrap();
            assert_eq!((d.as_nanos(), say_duration(d).as_str()), (nanos, said), "{text}");
        }
        for (text, problem) in [
            ("5", "needs a unit"),
            ("5 s", "no unit of time"),
            ("5parsec", "no unit of time"),
            ("-5s", "negative"),
            ("s", "no duration"),
            ("", "no duration"),
            ("nan", "no duration"),
            ("9999999999h", "too long"),
            ("1.2.3s", "no duration"),
        ] {
            assert!(duration(text).unwrap_err().contains(problem), "{text}: {:?}", duration(text));
        }
    }

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
