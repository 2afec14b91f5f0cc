//! The exact test of pairs: were there no difference, each pair's sign would be a coin's.

/// Above so many pairs that differ their signs are not tried one by one any more, but counted on a grid.
const EXACT_MAX: usize = 20;
/// How fine that grid is: the largest difference is so many steps.
const STEPS: f64 = 20_000.0;

/// How likely differences whose signs are coins' have a mean as far from zero as these (Fisher, The Design of
/// Experiments, 1935, § 21). Two-sided; 1 of nothing.
///
/// All 2^n signs are counted up to 20 pairs that differ, so p is exact; of more, differences are rounded to a
/// 20 000th of the largest one first.
#[must_use]
pub fn sign_flip_p(differences: &[f64]) -> f64 {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| *d > 0.0).collect();
    let sum: f64 = differences.iter().sum();
    if sizes.len() <= EXACT_MAX { by_each(&sizes, sum.abs()) } else { by_grid(&sizes, differences) }
}

fn by_each(sizes: &[f64], sum: f64) -> f64 {
    // Sums that are equal on paper differ in their last bits.
    let at_least = sum - sizes.iter().sum::<f64>() * 1e-12;
    let all = 1_u64 << sizes.len();
    let far = (0..all).filter(|signs| {
        let flipped = sizes.iter().enumerate().map(|(i, size)| if signs >> i & 1 == 1 { *size } else { -size });
        flipped.sum::<f64>().abs() >= at_least
    });
    far.count() as f64 / all as f64
}

fn by_grid(sizes: &[f64], differences: &[f64]) -> f64 {
    let step = sizes.iter().copied().fold(0.0, f64::max) / STEPS;
    let rounded = |d: f64| (d / step).round() as i64;
    let steps: Vec<usize> = sizes.iter().map(|size| rounded(*size).unsigned_abs() as usize).collect();
    let sum: i64 = differences.iter().map(|d| rounded(*d)).sum();
    let most: usize = steps.iter().sum();
    // How likely the positive ones among random signs add up to so many steps.
    let mut likely = vec![0.0; most + 1];
    likely[0] = 1.0;
    let mut reached = 0;
    for step in steps {
        reached += step;
        for at in (0..=reached).rev() {
            let flipped = if at >= step { likely[at - step] } else { 0.0 };
            likely[at] = (likely[at] + flipped) / 2.0;
        }
    }
    let far = |positive: usize| (2 * positive as i64 - most as i64).unsigned_abs() >= sum.unsigned_abs();
    likely.iter().enumerate().filter(|(positive, _)| far(*positive)).map(|(_, p)| p).sum::<f64>().min(1.0)
}
