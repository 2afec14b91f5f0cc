//! The median, and how sure it is.

/// The median; `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The interval that holds a median with a probability of `level`, by the bootstrap's percentiles (Efron, Ann. Statist. 7,
/// 1979); `None` of fewer than two values.
///
/// Of a median the bootstrap needs no drawing: how often each pair of values would come out in the middle of a resample
/// is a product of binomials, so this is what infinitely many resamples would say. Of few values it is a little too sure: with
/// 8 to 12 an interval of level 0.95 held the truth 93 to 95 times of 100 (`report/tests/it/stats.rs`).
#[must_use]
pub fn bootstrap_interval(values: &[f64], level: f64) -> Option<(f64, f64)> {
    let sorted = sorted(values);
    if sorted.len() < 2 {
        return None;
    }
    let mut medians = if sorted.len() % 2 == 1 { of_odd(&sorted) } else { of_even(&sorted) };
    medians.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = medians.iter().map(|(_, p)| p).sum();
    let tail = (1.0 - level) / 2.0 * total;
    let low = first_beyond(medians.iter(), tail)?;
    let high = first_beyond(medians.iter().rev(), tail)?;
    Some((low, high))
}

/// The first value up to which at least so much is seen.
fn first_beyond<'a>(mut medians: impl Iterator<Item = &'a (f64, f64)>, tail: f64) -> Option<f64> {
    let mut seen = 0.0;
    let found = medians.find(|(_, p)| {
        seen += p;
        seen >= tail
    });
    found.map(|(value, _)| *value)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Each median of a resample, and its probability. With n = 2k + 1 draws the median is at most the i-th value where at
/// least k + 1 draws are.
fn of_odd(sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let at_most = |i: usize| -> f64 {
        let p = i as f64 / n as f64;
        (n / 2 + 1..=n).map(|m| binomial(n, m) * p.powi(power(m)) * (1.0 - p).powi(power(n - m))).sum()
    };
    sorted.iter().enumerate().map(|(i, value)| (*value, at_most(i + 1) - at_most(i))).collect()
}

/// The same with n = 2k draws, where the median is the mean of two.
fn of_even(sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let k = n / 2;
    let share = |m: usize| (m as f64 / n as f64).powi(power(k));
    let mut medians = Vec::with_capacity(n * (n + 1) / 2);
    for i in 0..n {
        // k draws up to the i-th value of which one is the i-th, and k from the j-th on of which one is the j-th.
        for j in i + 1..n {
            let p = binomial(n, k) * (share(i + 1) - share(i)) * (share(n - j) - share(n - j - 1));
            medians.push((f64::midpoint(sorted[i], sorted[j]), p));
        }
        medians.push((sorted[i], both(n, i)));
    }
    medians
}

/// How likely both middle draws of n = 2k are the i-th value: fewer than k lie below it, and fewer than k above.
fn both(n: usize, i: usize) -> f64 {
    let (below, above, here) = (i as f64 / n as f64, (n - 1 - i) as f64 / n as f64, 1.0 / n as f64);
    let mut p = 0.0;
    for a in 0..n / 2 {
        for b in 0..n / 2 {
            let ways = binomial(n, a) * binomial(n - a, b);
            p += ways * below.powi(power(a)) * above.powi(power(b)) * here.powi(power(n - a - b));
        }
    }
    p
}

/// How many ways to choose k of n. Good to a few hundred.
pub(super) fn binomial(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64)
}

fn power(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
