//! The keys: how many there are, how big their values are, which are asked for, and which of those do not exist.

use std::fmt::Write as _;

use crate::schema::tree::{Node, Value};
use crate::schema::walk::{Fields, Walk};
use crate::values::size::SizeLaw;

const N_MAX: u32 = 10_000_000;
/// A few, as deleted items are that links still lead to.
const MISSING_N_DEFAULT: u32 = 10;
const EXPONENT_MAX: f64 = 10.0;
/// Most bytes of all values together: they are held in memory by a cache, and by the origin.
const BYTES_MAX: f64 = 4.0 * GIB;
const GIB: f64 = (1_u64 << 30) as f64;

/// The keys of a scenario, numbered from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// How popularity is spread.
    pub kind: KeyKind,
    /// How many keys, at least 1.
    pub n: u32,
    /// How many keys these stand for, where they are a sample (of `Zipf` only): see [`Keys::sample`].
    pub sample_of: Option<u32>,
    /// How large values are.
    pub value_size: SizeLaw,
    /// The share of each value that is one letter again and again, 0 to 1; the rest no compression makes smaller.
    pub compressible: f64,
    /// Whether all lie in one slot of a cluster, under one hash tag; else each has its own tag.
    pub one_slot: bool,
    /// The share of requests that ask for items that do not exist, from 0 to below 1. Only the others are spread as
    /// `kind` says.
    pub missing_share: f64,
    /// How many such items are asked for, at least 1 and all alike: their keys follow those that exist.
    pub missing_n: u32,
}

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

#[derive(Clone, Copy)]
enum Word {
    Hot,
    Uniform,
    Zipf,
    Single,
}

const KINDS: [(&str, Word); 4] =
    [("hot", Word::Hot), ("uniform", Word::Uniform), ("zipf", Word::Zipf), ("single", Word::Single)];

impl Keys {
    /// The key that the figures of `hot` are about: key 1 where one key is singled out, else none.
    #[must_use]
    pub fn hot_key(&self) -> Option<u32> {
        match self.kind {
            KeyKind::Hot { .. } | KeyKind::Single => Some(1),
            KeyKind::Uniform | KeyKind::Zipf { .. } | KeyKind::Traced => None,
        }
    }

    /// How they stand for more keys; `None` where they are all there are.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        self.sample_of.map(|of| Sample::new(self.n, of))
    }

    /// Whether a key is one of those that do not exist.
    #[must_use]
    pub fn is_missing(&self, key: u32) -> bool {
        key > self.n
    }

    /// The highest key that is asked for.
    #[must_use]
    pub fn last(&self) -> u32 {
        if self.missing_share > 0.0 { self.n.saturating_add(self.missing_n) } else { self.n }
    }

    /// What follows a load that is said in words: `, 5 % for items that do not exist`. Nothing where all exist.
    #[must_use]
    pub fn missing_in_words(&self) -> String {
        if self.missing_share <= 0.0 {
            return String::new();
        }
        // To a thousandth of a percent: 0.07 × 100 is not quite 7.
        let percent = (self.missing_share * 1e5).round() / 1e3;
        format!(", {percent} % for items that do not exist")
    }

    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let word = walk.word(fields, "kind", &KINDS, None);
        let value_size = SizeLaw::read(walk, fields);
        let n = match word {
            Some(Word::Single) => walk.integer(fields, "n", 1..=1, Some(1)),
            _ => read_n(walk, fields, value_size),
        };
        let (compressible, one_slot) = (read_compressible(walk, fields), read_one_slot(walk, fields));
        let missing_share = if fields.has("missing_share") {
            walk.number(fields, "missing_share", "0 or more, less than 1", |share| (0.0..1.0).contains(&share))
        } else {
            Some(0.0)
        };
        let missing_n = walk.integer(fields, "missing_n", 1..=N_MAX, Some(MISSING_N_DEFAULT));
        let kind = read_kind(walk, fields, word?, n);
        let sample_of = read_sample(walk, fields, n);
        let (missing_share, missing_n, sample_of) = (missing_share?, missing_n?, sample_of?);
        let (value_size, compressible, one_slot) = (value_size?, compressible?, one_slot?);
        Some(Self { kind: kind?, n: n?, sample_of, value_size, compressible, one_slot, missing_share, missing_n })
    }

    /// Reads the keys of a trace, of which there are `n` where it could be read: how large their values are, and no more.
    pub(crate) fn read_traced(walk: &mut Walk<'_>, fields: &Fields<'_>, n: Option<u32>) -> Option<Self> {
        const DRAWN: [&str; 7] = ["kind", "n", "hot_share", "exponent", "sample_of", "missing_share", "missing_n"];
        walk.foreign(fields, &DRAWN, "with load.clients or load.rate: a trace has its own keys");
        let value_size = SizeLaw::read(walk, fields);
        let (compressible, one_slot) = (read_compressible(walk, fields), read_one_slot(walk, fields));
        if let Some((n, sizes)) = n.zip(value_size)
            && let Some(found) = too_many(n.into(), Some(sizes))
        {
            let remedy = "cut the trace with from and to, put keys together with load.key, or lower value_size";
            walk.report(&fields.place, TOO_MANY, found, remedy);
            return None;
        }
        let (value_size, compressible, one_slot) = (value_size?, compressible?, one_slot?);
        let (kind, sample_of, missing_n) = (KeyKind::Traced, None, MISSING_N_DEFAULT);
        Some(Self { kind, n: n?, sample_of, value_size, compressible, one_slot, missing_share: 0.0, missing_n })
    }

    pub(crate) fn write(&self, out: &mut String) {
        self.kind.write(out);
        if self.kind != KeyKind::Traced {
            let _ = writeln!(out, "n = {}", self.n);
        }
        let _ = writeln!(out, "value_size = {}", self.value_size.toml());
        if let Some(of) = self.sample_of {
            let _ = writeln!(out, "sample_of = {of}");
        }
        // Of values that nothing makes smaller there is nothing to say.
        if self.compressible > 0.0 {
            let _ = writeln!(out, "compressible = {:?}", self.compressible);
        }
        if self.one_slot {
            out.push_str("slots = \"one\"\n");
        }
        if self.kind != KeyKind::Traced {
            let _ = writeln!(out, "missing_share = {:?}\nmissing_n = {}", self.missing_share, self.missing_n);
        }
    }
}

impl KeyKind {
    /// Reads a `kind` and what belongs to it; `n` is the number of keys, where that is known.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, n: Option<u32>) -> Option<Self> {
        let word = walk.word(fields, "kind", &KINDS, None)?;
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

fn read_compressible(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<f64> {
    if !fields.has("compressible") {
        return Some(0.0);
    }
    walk.number(fields, "compressible", "0 to 1", |share| (0.0..=1.0).contains(&share))
}

fn read_one_slot(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<bool> {
    walk.word(fields, "slots", &[("own", false), ("one", true)], Some(false))
}

const TOO_MANY: &str = "too many keys for a machine's memory";

/// What so many keys would cost, where that is too much.
fn too_many(n: i128, value_size: Option<SizeLaw>) -> Option<String> {
    let bytes = n as f64 * value_size.map_or(0.0, |sizes| sizes.mean());
    (n > N_MAX.into() || bytes > BYTES_MAX).then(|| {
        format!(
            "found {n} values of {}, that is {:.1} GiB of memory, allowed {N_MAX} and {:.1} GiB",
            value_size.map_or_else(|| "an unknown size".to_owned(), |sizes| sizes.to_string()),
            bytes / GIB,
            BYTES_MAX / GIB
        )
    })
}

/// The number of keys, refused with what they would cost where they are too many.
fn read_n(walk: &mut Walk<'_>, fields: &Fields<'_>, value_size: Option<SizeLaw>) -> Option<u32> {
    if let Some(Node { value: Value::Integer(Some(n)), place }) = fields.get("n")
        && let Some(found) = too_many(*n, value_size)
    {
        walk.report(place, TOO_MANY, found, "lower n or value_size");
        return None;
    }
    walk.integer(fields, "n", 1..=N_MAX, None)
}

/// How many keys the `n` stand for: no fewer than they are.
fn read_sample(walk: &mut Walk<'_>, fields: &Fields<'_>, n: Option<u32>) -> Option<Option<u32>> {
    if !fields.has("sample_of") {
        return Some(None);
    }
    walk.integer(fields, "sample_of", n.unwrap_or(1)..=N_MAX, None).map(Some)
}

fn read_kind(walk: &mut Walk<'_>, fields: &Fields<'_>, word: Word, n: Option<u32>) -> Option<KeyKind> {
    if !matches!(word, Word::Hot) {
        walk.foreign(fields, &["hot_share"], "with kind = \"hot\"");
    }
    if !matches!(word, Word::Zipf) {
        walk.foreign(fields, &["exponent", "sample_of"], "with kind = \"zipf\"");
    }
    match word {
        Word::Hot => {
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
        Word::Zipf => {
            let allowed = format!("0 to {EXPONENT_MAX}");
            let exponent = walk.number(fields, "exponent", &allowed, |s| (0.0..=EXPONENT_MAX).contains(&s))?;
            Some(KeyKind::Zipf { exponent })
        }
        Word::Uniform => Some(KeyKind::Uniform),
        Word::Single => Some(KeyKind::Single),
    }
}
