//! Which key a request asks for.

use crate::plan::draw::PurposeDraws;
use crate::plan::zipf::Zipf;
use crate::values::keys::{KeyKind, Keys, Sample};

/// Draws keys, numbered from 1, in constant time and memory.
#[derive(Debug, Clone)]
pub(super) enum Picker {
    /// Key 1 with probability `share`, else one of the others evenly.
    Hot {
        share: f64,
        others: u32,
    },
    /// One of `n`, evenly.
    Even {
        n: u32,
    },
    Zipf(Zipf),
    /// A sample of them.
    Sampled(Box<Picker>, Sample),
}

impl Picker {
    pub(super) fn new(keys: &Keys) -> Self {
        if let Some((of, sample)) = keys.sample_of.zip(keys.sample()) {
            let all = Keys { n: of, sample_of: None, ..keys.clone() };
            return Self::Sampled(Box::new(Self::new(&all)), sample);
        }
        match keys.kind {
            KeyKind::Hot { share } => Self::Hot { share, others: keys.n.saturating_sub(1) },
            KeyKind::Zipf { exponent } if exponent > 0.0 => Self::Zipf(Zipf::new(keys.n, exponent)),
            // A trace's keys are never drawn.
            KeyKind::Uniform | KeyKind::Zipf { .. } | KeyKind::Traced => Self::Even { n: keys.n },
            KeyKind::Single => Self::Even { n: 1 },
        }
    }

    pub(super) fn pick(&self, draws: PurposeDraws) -> u32 {
        match self {
            Self::Hot { share, others } if *others > 0 && draws.unit(0) >= *share => 2 + draws.below(1, *others),
            Self::Hot { .. } => 1,
            Self::Even { n } => 1 + draws.below(0, *n),
            Self::Zipf(zipf) => zipf.pick(draws),
            Self::Sampled(all, sample) => sample.key(all.pick(draws)),
        }
    }
}
