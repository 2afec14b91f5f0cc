//! When a hit refreshes early.

use crate::kit::rng::Rng;
use crate::kit::time::{Wall, nanos};
use crate::port::entry::Entry;
use crate::spec::Span;

/// Which side refreshes early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshMode {
    Background,
    Sync,
}

/// The early trigger of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Early {
    /// Never: the entry expires first.
    Never,
    /// XFetch: refresh when `now − δ·β·ln(u) ≥ expiry`, u uniform in (0, 1], δ the recompute time stored with the entry.
    /// Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", PVLDB 8(8), 2015.
    XFetch { beta: f64, mode: RefreshMode },
    /// The fixed cutoff: refresh once age ≥ θ·T. Many requests cross it together, which is the mini-cliff that XFetch
    /// avoids.
    Ahead { theta: f64 },
    /// Within the last `window` of the TTL each hit refreshes with a fixed probability (the APEE-LRM article).
    SoftWindow { window: Span, probability: f64 },
}

impl Early {
    /// Whether this read of a fresh entry should refresh it.
    pub(crate) fn fires(self, entry: &Entry, now: Wall, rng: &Rng) -> bool {
        match self {
            Self::Never => false,
            Self::XFetch { beta, .. } => {
                // next_unit is in [0, 1), so this is in (0, 1]: ln is finite and never positive.
                let u = 1.0 - rng.next_unit();
                let lead = nanos(entry.delta) as f64 * beta * -u.ln();
                lead >= entry.ttl_left(now) as f64
            }
            Self::Ahead { theta } => entry.age(now) >= entry.life.soft.mul_f64(theta),
            Self::SoftWindow { window, probability } => {
                let window = i64::try_from(nanos(window.of(entry.life.soft))).unwrap_or(i64::MAX);
                entry.ttl_left(now) <= window && rng.next_unit() < probability
            }
        }
    }

    /// Where it refreshes: in the background, or in the request.
    pub(crate) fn mode(self) -> RefreshMode {
        match self {
            Self::Never | Self::Ahead { .. } | Self::SoftWindow { .. } => RefreshMode::Background,
            Self::XFetch { mode, .. } => mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::port::entry::Life;

    const MS: u64 = 1_000_000;

    /// P(an entry with x left refreshes at one read) = e^(−x/(βδ)): sign and scale at once.
    #[test]
    fn xfetch_fires_by_the_papers_law() {
        let entry = Entry {
            value: None,
            version: 1,
            read_at: Wall(0),
            stored_at: Wall(0),
            life: Life::new(Duration::from_secs(5), Duration::ZERO),
            delta: Duration::from_millis(200),
        };
        let rng = Rng::new(11);
        let n = 40_000;
        for beta in [0.5, 1.0, 2.0] {
            for left_ms in [20_u64, 100, 200, 400, 800] {
                let now = Wall((5000 - left_ms) * MS);
                let early = Early::XFetch { beta, mode: RefreshMode::Background };
                let fired = (0..n).filter(|_| early.fires(&entry, now, &rng)).count() as f64 / f64::from(n);
                let law = (-(left_ms as f64) / (beta * 200.0)).exp();
                let error = 4.0 * (law * (1.0 - law) / f64::from(n)).sqrt();
                assert!((fired - law).abs() <= error, "beta {beta}, {left_ms} ms left: {fired} against {law}");
            }
        }
    }
}
