//! When a key is read again: the law of τ, from a put to the read that begins the next cycle.
//!
//! Reads come as a Poisson process of rate r, and one that finds an age of t refreshes with a probability p(t): never before the
//! expiry under a plain TTL, always after θT, e^(−(T−t)/βd) under XFetch; past the expiry always. So those that refresh are a
//! Poisson process of rate r·p(t) (thinning), and P(τ > t) = e^(−Λ(t)) with Λ(t) = ∫₀ᵗ r·p. Under XFetch with βd ≪ T this is
//! Gumbel's law for the lead T − τ, of mean βd(ln(rβd) + γ); where the lead would be longer than T, or where so few read that nobody
//! fires in time, it is not, and Λ still holds.

use std::time::Duration;

use crate::policy::Early;

/// Parts of equal probability that stand for the law of τ; the last of them is halved so often, for what is rare is late.
const PARTS: u32 = 32;
const HALVINGS: u32 = 14;
/// Parts that are less probable are none.
const LEAST: f64 = 1e-9;
const BISECTIONS: u32 = 48;

/// The law of τ for an entry.
#[derive(Clone, Copy)]
pub(super) struct Refresh {
    pub(super) early: Early,
    /// r.
    pub(super) r: f64,
    /// d, which is what XFetch finds in the entry.
    pub(super) d: f64,
    /// T, with its jitter.
    pub(super) ttl: f64,
}

impl Refresh {
    /// Λ(t): how many reads have refreshed by then, mean.
    pub(super) fn fired(&self, t: f64) -> f64 {
        let Self { r, d, ttl, .. } = *self;
        let late = r * (t - ttl).max(0.0);
        let early = match self.early {
            Early::Never => 0.0,
            Early::Ahead { theta } => r * (t.min(ttl) - theta * ttl).max(0.0),
            Early::SoftWindow { window, probability } => {
                let opens = (ttl - window.of(Duration::from_secs_f64(ttl)).as_secs_f64()).max(0.0);
                r * probability * (t.min(ttl) - opens).max(0.0)
            }
            Early::XFetch { beta, mode: _ } => {
                let scale = beta * d;
                let left = |t: f64| (-(ttl - t.min(ttl)) / scale).exp();
                r * scale * (left(t) - left(0.0))
            }
        };
        early + late
    }

    /// Values of τ and their probabilities: Λ(τ) is exponential with mean 1, and each value stands for the mean of a part of it. No
    /// part has one of the `breaks` inside, where what depends on τ has a jump or a bend.
    pub(super) fn values(self, breaks: [f64; 4]) -> impl Iterator<Item = (f64, f64)> {
        let part = 1.0 / f64::from(PARTS);
        let even = (0..PARTS).map(move |n| f64::from(n) * part);
        let late = (1..=HALVINGS).map(move |n| 1.0 - part / f64::from(1_u32 << n));
        let broken = breaks.into_iter().filter(|at| *at > 0.0).map(move |at| 1.0 - (-self.fired(at)).exp());
        let mut edges: Vec<f64> = even.chain(late).chain(broken).chain([1.0]).collect();
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup_by(|one, other| *one - *other < LEAST);
        // ∫ −ln(1 − u) du
        let integral = |u: f64| if u < 1.0 { u + (1.0 - u) * (1.0 - u).ln() } else { 1.0 };
        let parts: Vec<(f64, f64)> = edges.windows(2).map(|edge| (edge[0], edge[1])).collect();
        parts.into_iter().map(move |(from, to)| (self.when((integral(to) - integral(from)) / (to - from)), to - from))
    }

    /// Λ⁻¹.
    fn when(&self, fired: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.ttl + fired / self.r);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if self.fired(middle) < fired {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}
