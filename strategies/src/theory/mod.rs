//! What theory predicts of one hot key, to be printed beside what was measured.
//!
//! Symbols as in the literature: r reads of the key a second, T its TTL, d the origin's service time (a pure delay), R
//! replicas, S how long past T a stale value is served, β XFetch's knob. A cycle goes from one first read of the origin to the
//! next: the read takes d, its value is stored, and τ later the next read begins.
//!
//! | idea | where |
//! |---|---|
//! | what must be known of a scenario | [`Circumstances`] |
//! | when a key is read again: the law of τ | `refresh.rs` |
//! | herd, cycle, waits, stale answers | `cycle.rs` |
//! | how many cycles begin in the measured time | `count.rs` |
//! | where any of this holds, row by row | [`premises`] |
//! | items that are written while they are read | [`writes`] |
//! | copies in processes, and caches of their own | [`near`] |
//! | waits for a connection of a pool | [`pool_waits`] |
//!
//! A figure is predicted where all its premises hold. Elsewhere it is not known, and the premise that fails says why.

mod case;
mod circumstances;
mod count;
mod cycle;
mod layers;
pub mod near;
mod pool;
mod premises;
mod refresh;
#[cfg(test)]
mod tests;
pub mod writes;

use crate::spec::Spec;

pub use circumstances::{Circumstances, FilledBy, Gaps, Readers, Think};
pub use pool::{PoolWaits, pool_waits};
pub use premises::{Figure, Premise, premises};

use case::StrategyCase;
use count::Counts;
use cycle::Cycle;
use layers::Layers;

/// What is to be expected. What is `None` has its row in [`Theory::not`].
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Origin reads at an expiry, or at an early refresh: N.
    pub per_expiry: f64,
    /// From one such moment to the next, seconds.
    pub cycle_s: Option<f64>,
    /// Origin reads of the key in the measured time.
    pub total: Option<f64>,
    /// Share of the key's requests in the measured time that wait for the origin.
    pub wait_share: Option<f64>,
    /// Share of the key's requests in the measured time that are answered with a stale value.
    pub stale_share: Option<f64>,
    /// The formula of N, in words.
    pub formula: &'static str,
}

/// What theory says, and what it does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Theory {
    /// `None` where not even N is known.
    pub prediction: Option<Prediction>,
    /// Premises that fail, and the figures that are not known for it: each figure once.
    pub not: Vec<(&'static Premise, Vec<Figure>)>,
}

/// Predicts.
#[must_use]
pub fn predict(spec: &Spec, at: &Circumstances) -> Theory {
    let layers = Layers::of(spec, at.ttl, &at.budgets);
    if let Some(premise) = premises::first_unknown(&layers, at) {
        return Theory { prediction: None, not: vec![(premise, Figure::ALL.to_vec())] };
    }
    let cycle = Cycle::of(&layers, at);
    let counts = Counts::of(&layers, at, &cycle);
    let case = StrategyCase { at, layers, cycle, counts };
    let failing = |figure| premises::first_failing(&case, figure);
    let mut not: Vec<(&'static Premise, Vec<Figure>)> = Vec::new();
    for figure in Figure::ALL {
        let Some(premise) = failing(figure) else { continue };
        match not.iter_mut().find(|(other, _)| other.name == premise.name) {
            Some((_, figures)) => figures.push(figure),
            None => not.push((premise, vec![figure])),
        }
    }
    let known = |figure, value: f64| failing(figure).is_none().then_some(value);
    let (cycle, counts) = (&case.cycle, &case.counts);
    let prediction = known(Figure::PerExpiry, cycle.herd).map(|per_expiry| Prediction {
        per_expiry,
        cycle_s: known(Figure::Cycle, cycle.mean_s),
        total: known(Figure::Total, counts.reads),
        wait_share: known(Figure::WaitShare, counts.wait_share),
        stale_share: known(Figure::StaleShare, counts.stale_share),
        formula: cycle.formula,
    });
    Theory { prediction, not }
}
