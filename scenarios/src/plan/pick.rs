//! Which key a request asks for.

use crate::plan::draw::PurposeDraws;
use crate::plan::zipf::Zipf;
use crate::values::classes::ClassKeys;
use crate::values::keys::Keys;
use crate::values::popularity::{KeyKind, Sample};

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
    /// Keys of no class, and behind them those of each.
    Classes(Box<Picker>, Vec<PickedClass>),
}

/// A class of keys.
#[derive(Debug, Clone)]
pub(super) struct PickedClass {
    /// The share of requests for classes up to this one.
    up_to: f64,
    /// The number before its first key's.
    before: u32,
    keys: Picker,
}

impl Picker {
    pub(super) fn new(keys: &Keys) -> Self {
        if !keys.classes.is_empty() {
            return Self::with_classes(keys);
        }
        if let Some((of, sample)) = keys.sample_of.zip(keys.sample()) {
            let all = Keys { n: of, sample_of: None, ..keys.clone() };
            return Self::Sampled(Box::new(Self::new(&all)), sample);
        }
        Self::of(keys.kind, keys.n)
    }

    /// One law for `n` keys.
    pub(super) fn of(kind: KeyKind, n: u32) -> Self {
        match kind {
            KeyKind::Hot { share } => Self::Hot { share, others: n.saturating_sub(1) },
            KeyKind::Zipf { exponent } if exponent > 0.0 => Self::Zipf(Zipf::new(n, exponent)),
            // A trace's keys are never drawn.
            KeyKind::Uniform | KeyKind::Zipf { .. } | KeyKind::Traced => Self::Even { n },
            KeyKind::Single => Self::Even { n: 1 },
        }
    }

    fn with_classes(keys: &Keys) -> Self {
        let (mut up_to, mut before) = (0.0, keys.n);
        let drawn = keys.classes.iter().filter_map(|class| match class.which {
            ClassKeys::Drawn { share, n, kind } => Some((share, n, kind)),
            ClassKeys::Named { .. } => None,
        });
        let classes = drawn.map(|(share, n, kind)| {
            up_to += share;
            let class = PickedClass { up_to, before, keys: Self::of(kind, n) };
            before = before.saturating_add(n);
            class
        });
        let classes = classes.collect();
        Self::Classes(Box::new(Self::of(keys.kind, keys.n)), classes)
    }

    /// A key; `class` are draws of their own, which no load without classes makes.
    pub(super) fn pick(&self, draws: PurposeDraws, class: impl FnOnce() -> PurposeDraws) -> u32 {
        match self {
            Self::Classes(others, classes) => {
                let share = class().unit(0);
                match classes.iter().find(|class| share < class.up_to) {
                    Some(class) => class.before + class.keys.pick_one(draws),
                    None => others.pick_one(draws),
                }
            }
            _ => self.pick_one(draws),
        }
    }

    /// Of keys without classes.
    fn pick_one(&self, draws: PurposeDraws) -> u32 {
        match self {
            Self::Hot { share, others } if *others > 0 && draws.unit(0) >= *share => 2 + draws.below(1, *others),
            Self::Hot { .. } => 1,
            Self::Even { n } => 1 + draws.below(0, *n),
            Self::Zipf(zipf) => zipf.pick(draws),
            Self::Sampled(all, sample) => sample.key(all.pick_one(draws)),
            Self::Classes(others, _) => others.pick_one(draws),
        }
    }
}
