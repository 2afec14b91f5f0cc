//! The exact test of two sets that are no pairs, and how far one is shifted against the other.

use super::median::{binomial, median};

/// By how much `b` lies above `a`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The median of all differences of one of `b` and one of `a` (Hodges and Lehmann, Ann. Math. Statist. 34, 1963).
    pub estimate: f64,
    /// The interval of the level asked for, by inverting the rank-sum test; `None` where there are too few to have one.
    pub interval: Option<(f64, f64)>,
}

/// How likely two sets of one and the same origin have rank sums as far apart as these (Wilcoxon 1945; Mann and Whitney,
/// Ann. Math. Statist. 18, 1947). Two-sided, exact, also where values are equal: then of the mid-ranks' own permutations.
/// 1 where a set is empty.
#[must_use]
pub fn rank_sum_p(a: &[f64], b: &[f64]) -> f64 {
    let ranks = doubled_ranks(a, b);
    let all: usize = ranks.iter().sum();
    let (n, m) = (ranks.len(), a.len());
    if m == 0 || m == n {
        return 1.0;
    }
    let ways = ways(&ranks, m);
    // Both sides n times as large, to stay in whole numbers.
    let distance = |sum: usize| (sum * n).abs_diff(all * m);
    let seen = distance(ranks[..m].iter().sum());
    let far: f64 = ways.iter().enumerate().filter(|(sum, _)| distance(*sum) >= seen).map(|(_, ways)| ways).sum();
    (far / binomial(n, m)).min(1.0)
}

/// Twice the mid-rank of each value of `a` and then of `b` among all of them: whole numbers.
fn doubled_ranks(a: &[f64], b: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| *other < value).count();
        let equal = all.iter().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    all.iter().map(rank).collect()
}

/// In how many ways `m` of the ranks add up to each sum.
fn ways(ranks: &[usize], m: usize) -> Vec<f64> {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; m + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        for chosen in (0..m).rev() {
            for sum in 0..=most - rank {
                ways[chosen + 1][sum + rank] += ways[chosen][sum];
            }
        }
    }
    ways.swap_remove(m)
}

/// By how much `b` lies above `a`, with the interval of a level such as 0.95; `None` where a set is empty.
#[must_use]
pub fn shift(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    let mut differences: Vec<f64> = b.iter().flat_map(|b| a.iter().map(move |a| b - a)).collect();
    differences.sort_by(f64::total_cmp);
    let estimate = median(&differences)?;
    // As many differences are cut off at each end as the smaller of two rank sums may count at that level.
    let untied: Vec<usize> = (1..=a.len() + b.len()).collect();
    let ways = ways(&untied, a.len());
    let least = a.len() * (a.len() + 1) / 2;
    let all = binomial(untied.len(), a.len());
    let mut seen = 0.0;
    let cut = ways[least..].iter().take_while(|ways| {
        seen += **ways / all;
        seen <= (1.0 - level) / 2.0
    });
    let interval = match cut.count() {
        0 => None,
        cut => Some((differences[cut - 1], differences[differences.len() - cut])),
    };
    Some(Shift { estimate, interval })
}
