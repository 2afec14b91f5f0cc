//! What theory says of items that are written while they are read: Poisson writes and reads of one key.

use std::time::Duration;

/// Of the gaps between writes, the share that is longer than the TTL: each ends in a miss, however often a write puts its value.
/// e^(−λ·T) for Poisson writes at λ a second (the exponential law of their gaps: Ross, Introduction to Probability Models, 2014,
/// section 5.3).
#[must_use]
pub fn gaps_beyond_the_ttl(writes_per_s: f64, ttl: Duration) -> f64 {
    (-writes_per_s * ttl.as_secs_f64()).exp()
}

/// Reads of the origin at such a miss where nothing protects it: the first, and those that come while it reads, 1 + r·d
/// (docs/theory.md).
#[must_use]
pub fn reads_at_a_miss(reads_per_s: f64, service: Duration) -> f64 {
    1.0 + reads_per_s * service.as_secs_f64()
}

/// Old values that are stored after their removal, a write, where one fills at a time and nothing ties its put to the removal.
///
/// A cycle is: the key lies in the cache until the next write, 1/λ; it is asked for, 1/r; it is filled, d. A write in the fill leaves
/// the old value behind, with probability 1 − e^(−λ·d) a fill; a cycle has 1 + λ/r + λ·d writes. So it is
/// (1 − e^(−λ·d)) / (1 + λ/r + λ·d). Derived by renewal reward (Ross, as above, section 7.4); a TTL much longer than 1/λ is assumed.
#[must_use]
pub fn wrong_sets_a_write(writes_per_s: f64, reads_per_s: f64, service: Duration) -> f64 {
    let in_fill = writes_per_s * service.as_secs_f64();
    (1.0 - (-in_fill).exp()) / (1.0 + writes_per_s / reads_per_s + in_fill)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_are_the_tables() {
        let ttl = Duration::from_secs(5);
        for (writes_a_ttl, share) in [(0.5, 0.6065), (2.0, 0.1353), (5.0, 0.0067), (20.0, 2.06e-9)] {
            let found = gaps_beyond_the_ttl(writes_a_ttl / 5.0, ttl);
            assert!((found - share).abs() < 1e-4, "{writes_a_ttl}: {found}");
        }
        let service = Duration::from_millis(200);
        assert_eq!(reads_at_a_miss(400.0, service), 81.0);
        // λ·d = 0.4: (1 − 0.67032) / (1 + 0.005 + 0.4).
        assert!((wrong_sets_a_write(2.0, 400.0, service) - 0.23465).abs() < 1e-4);
        assert_eq!(wrong_sets_a_write(0.0, 400.0, service), 0.0, "no writes, none wrong");
    }
}
