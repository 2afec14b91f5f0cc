//! How many reads chance alone brings to the origin in its highest second.

/// Standard deviations of a Poisson count that the highest second of a few minutes is above the mean.
pub const PEAK_DEVIATIONS: f64 = 3.2;

/// Standard deviations above the capacity. Of an origin of 3 reads a second or more that is used to three quarters chance exceeds that in
/// about one of a hundred answers, in any of their 2000 seconds (P(X ≥ 12) = 4.5e-6 of a Poisson count of mean 2.25), and of larger
/// ones more seldom.
const CHANCE: f64 = 5.0;

/// How many reads may come to the origin in any second: as many as chance alone brings to one that is just fully used, C + 5 √C, whole
/// ones. More is a herd, or a load that it can't do.
#[must_use]
pub fn peak_max(capacity: f64) -> f64 {
    (capacity + CHANCE * capacity.sqrt()).floor().max(1.0)
}
