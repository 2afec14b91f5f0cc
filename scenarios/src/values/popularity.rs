//! How popularity is spread over keys: the law, and a sample of the keys of one.

use std::fmt::Write as _;

use crate::schema::walk::{Fields, Walk};

/// The most keys.
pub(crate) const N_MAX: u32 = 10_000_000;
const EXPONENT_MAX: f64 = 10.0;

/// How popularity is spread over the keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyKind {
    /// Key 1 has `share` of the requests, in (0, 1], the others the rest evenly.
    Hot {
        /// The hot key's share.
        share: f64,
    },
    /// All the same.
    Uniform,
    /// Key k is asked for in proportion to 1 / k^exponent.
    Zipf {
        /// The exponent, 0 (even) to 10.
        exponent: f64,
    },
    /// One key.
    Single,
    /// As a trace asks for them: numbered by first appearance.
    Traced,
}

/// A sample of the keys of a Zipf law that keeps its shape. The most popular keys are there themselves, each with its own share of the
/// requests to them; of the others each stands for `width` keys of neighbouring ranks, and is asked for what they are asked for together.
/// With the load and the origin divided by `width`, a key that stands for others is asked for as often as one of them is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many keys are there themselves, at least 1.
    pub themselves: u32,
    /// How many keys each other one stands for, 1 or more.
    pub width: f64,
}

/// One of so many keys of a sample is there itself.
const THEMSELVES: u32 = 200;

impl Sample {
    /// A sample of `n` keys of `of`.
    #[must_use]
    pub fn new(n: u32, of: u32) -> Self {
        let themselves = (n / THEMSELVES).max(1);
        let rest = n.saturating_sub(themselves).max(1);
        Self { themselves, width: (f64::from(of.saturating_sub(themselves)) / f64::from(rest)).max(1.0) }
    }

    /// The key of the sample that stands for a rank.
    #[must_use]
    pub fn key(&self, rank: u32) -> u32 {
        let beyond = rank.saturating_sub(self.themselves);
        if beyond == 0 { rank } else { self.themselves + 1 + (f64::from(beyond - 1) / self.width) as u32 }
    }
}

/// The words for laws.
#[derive(Clone, Copy)]
pub(crate) enum KindWord {
    Hot,
    Uniform,
    Zipf,
    Single,
}

const KINDS: [(&str, KindWord); 4] =
    [("hot", KindWord::Hot), ("uniform", KindWord::Uniform), ("zipf", KindWord::Zipf), ("single", KindWord::Single)];

impl KindWord {
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        walk.word(fields, "kind", &KINDS, None)
    }
}

impl KeyKind {
    /// Reads a `kind` and what belongs to it; `n` is the number of keys, where that is known.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, n: Option<u32>) -> Option<Self> {
        let word = KindWord::read(walk, fields)?;
        read_kind(walk, fields, word, n)
    }

    pub(crate) fn write(self, out: &mut String) {
        let _ = match self {
            Self::Hot { share } => writeln!(out, "kind = \"hot\"\nhot_share = {share:?}"),
            Self::Uniform => writeln!(out, "kind = \"uniform\""),
            Self::Zipf { exponent } => writeln!(out, "kind = \"zipf\"\nexponent = {exponent:?}"),
            Self::Single => writeln!(out, "kind = \"single\""),
            // What a trace has is said by its name.
            Self::Traced => Ok(()),
        };
    }
}

/// Reads what belongs to a word; `n` is the number of keys, where that is known.
pub(crate) fn read_kind(walk: &mut Walk<'_>, fields: &Fields<'_>, word: KindWord, n: Option<u32>) -> Option<KeyKind> {
    if !matches!(word, KindWord::Hot) {
        walk.foreign(fields, &["hot_share"], "with kind = \"hot\"");
    }
    if !matches!(word, KindWord::Zipf) {
        walk.foreign(fields, &["exponent", "sample_of", "churn"], "with kind = \"zipf\"");
    }
    match word {
        KindWord::Hot => {
            let share =
                walk.number(fields, "hot_share", "more than 0, at most 1", |share| share > 0.0 && share <= 1.0)?;
            if n == Some(1)
                && share < 1.0
                && let Some(node) = fields.get("hot_share")
            {
                walk.refuse(
                    node,
                    "`hot_share` leaves requests for other keys, and n = 1 has none",
                    "1 where n = 1",
                    "raise n, or write hot_share = 1, or kind = \"single\"",
                );
            }
            Some(KeyKind::Hot { share })
        }
        KindWord::Zipf => {
            let allowed = format!("0 to {EXPONENT_MAX}");
            let exponent = walk.number(fields, "exponent", &allowed, |s| (0.0..=EXPONENT_MAX).contains(&s))?;
            Some(KeyKind::Zipf { exponent })
        }
        KindWord::Uniform => Some(KeyKind::Uniform),
        KindWord::Single => Some(KeyKind::Single),
    }
}
