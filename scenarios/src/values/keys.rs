//! The keys: how many there are, how big their values are, which are asked for, and which of those do not exist.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::tree::{Node, Value};
use crate::schema::walk::{Fields, Walk};
use crate::values::churn::{CHURN, Churn};
use crate::values::classes::KeyClass;
use crate::values::popularity::{KeyKind, KindWord, N_MAX, Sample, read_kind};
use crate::values::recorded::{KeyAsks, RowValues, TracedKeys};
use crate::values::size::SizeLaw;

/// A few, as deleted items are that links still lead to.
const MISSING_N_DEFAULT: u32 = 10;
/// Most bytes of all values together: they are held in memory by a cache, and by the origin.
const BYTES_MAX: f64 = 4.0 * GIB;
const GIB: f64 = (1_u64 << 30) as f64;

/// The keys of a scenario, numbered from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// How popularity is spread.
    pub kind: KeyKind,
    /// How many keys, at least 1, beside those of [`Keys::classes`].
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
    /// How fast ranks get new keys, where they do (of `Zipf` only).
    pub churn: Option<Churn>,
    /// How many keys a rank may have during the load, one after the other: 1 without churn.
    pub generations: u32,
    /// What holds of a trace's rows.
    pub from_rows: RowValues,
    /// Keys of their own kind.
    pub classes: Vec<KeyClass>,
}

/// What is read of keys before the load is: a trace is asked for it while it is looked through.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnKeys {
    classes: Vec<KeyClass>,
    from_rows: RowValues,
}

/// What may hold of a trace's rows.
const FROM_ROWS: [(&str, RowValues); 4] = [
    ("none", RowValues { ttl: false, size: false }),
    ("ttl", RowValues { ttl: true, size: false }),
    ("size", RowValues { ttl: false, size: true }),
    ("both", RowValues { ttl: true, size: true }),
];

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
        key > self.existing()
    }

    /// The highest key that is asked for.
    #[must_use]
    pub fn last(&self) -> u32 {
        let all = self.existing();
        if self.missing_share > 0.0 { all.saturating_add(self.missing_n) } else { all }
    }

    /// What follows a load that is said in words: `, 5 % for items that do not exist`. Nothing where all exist, are alike and stay.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words = String::new();
        if self.missing_share > 0.0 {
            // To a thousandth of a percent: 0.07 × 100 is not quite 7.
            let percent = (self.missing_share * 1e5).round() / 1e3;
            let _ = write!(words, ", {percent} % for items that do not exist");
        }
        match self.classes.len() {
            0 => {}
            1 => words.push_str(", a class of keys beside the usual ones"),
            classes => {
                let _ = write!(words, ", {classes} classes of keys beside the usual ones");
            }
        }
        if let Some(churn) = self.churn {
            let _ = write!(words, ", {} of the keys replaced", churn.text());
        }
        words.push_str(match self.from_rows {
            RowValues { ttl: true, size: true } => ", TTLs and sizes of its rows",
            RowValues { ttl: true, size: false } => ", TTLs of its rows",
            RowValues { ttl: false, size: true } => ", sizes of its rows",
            RowValues { ttl: false, size: false } => "",
        });
        words
    }

    /// Reads the keys of a load that is drawn and takes `total`, where that could be read. `own` are their classes.
    pub(crate) fn read(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        own: OwnKeys,
        total: Option<Duration>,
    ) -> Option<Self> {
        let word = KindWord::read(walk, fields);
        let value_size = SizeLaw::read(walk, fields);
        let n = match word {
            Some(KindWord::Single) => walk.integer(fields, "n", 1..=1, Some(1)),
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
        let churn = read_churn(walk, fields)?;
        let generations = churn.zip(total).map_or(1, |(churn, total)| churn.generations(total));
        let (missing_share, missing_n, sample_of) = (missing_share?, missing_n?, sample_of?);
        let (value_size, compressible, one_slot) = (value_size?, compressible?, one_slot?);
        let OwnKeys { classes, from_rows } = own;
        let keys = Self {
            kind: kind?,
            n: n?,
            sample_of,
            value_size,
            compressible,
            one_slot,
            missing_share,
            missing_n,
            churn,
            generations,
            from_rows,
            classes,
        };
        keys.refuse_too_many(walk, fields)
    }

    /// With classes and churn there may be more than `n` says; and a sample stands for neither.
    fn refuse_too_many(self, walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let more = [("class", !self.classes.is_empty()), ("churn", self.churn.is_some())];
        let (name, _) = more.into_iter().find(|(_, is)| *is).unzip();
        let Some(node) = name.and_then(|name| fields.get(name)) else { return Some(self) };
        if let Some(sample) = fields.get("sample_of") {
            walk.refuse(sample, "a sample of keys that have classes or churn", "neither", "remove one of the two");
            return None;
        }
        let all = u64::from(self.ranks()) * u64::from(self.generations);
        if all <= u64::from(N_MAX) && self.bytes(None) <= BYTES_MAX {
            return Some(self);
        }
        let each = match self.generations {
            1 => String::new(),
            keys => format!(" for {} ranks, {keys} each one after the other", self.ranks()),
        };
        let (gib, most) = (self.bytes(None) / GIB, BYTES_MAX / GIB);
        let found =
            format!("found {all} values{each}: {gib:.1} GiB of memory, allowed {N_MAX} values and {most:.1} GiB");
        walk.report(&node.place, TOO_MANY, found, "lower n, value_size or churn, or shorten the run");
        None
    }

    /// Reads the keys of a trace, of which there are `n` where it could be read, and of which `known` was found out: how large their values are,
    /// and what holds of some of them.
    pub(crate) fn read_traced(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        own: OwnKeys,
        n: Option<u32>,
        known: Option<&TracedKeys>,
    ) -> Option<Self> {
        const DRAWN: [&str; 8] =
            ["kind", "n", "hot_share", "exponent", "sample_of", "missing_share", "missing_n", "churn"];
        walk.foreign(fields, &DRAWN, "with load.clients or load.rate: a trace has its own keys");
        let value_size = SizeLaw::read(walk, fields);
        let (compressible, one_slot) = (read_compressible(walk, fields), read_one_slot(walk, fields));
        let (n, value_size) = (n?, value_size?);
        let keys = Self {
            compressible: compressible?,
            one_slot: one_slot?,
            from_rows: own.from_rows,
            classes: own.classes,
            ..Self::alike(KeyKind::Traced, n, value_size)
        };
        let bytes = keys.bytes(known);
        let found = too_many(keys.n.into(), Some(value_size)).filter(|_| known.is_none() || keys.n > N_MAX);
        let found = found.or_else(|| {
            (bytes > BYTES_MAX).then(|| {
                let (gib, most) = (bytes / GIB, BYTES_MAX / GIB);
                format!(
                    "found {} values with the sizes of rows and classes: {gib:.1} GiB of memory, allowed {most:.1} GiB",
                    keys.n
                )
            })
        });
        let Some(found) = found else { return Some(keys) };
        let remedy = "cut the trace with from and to, put keys together with load.key, or lower value_size; or leave the rows' sizes out";
        walk.report(&fields.place, TOO_MANY, found, remedy);
        None
    }

    /// Keys of one kind that all exist and do not change, with values that nothing makes smaller.
    #[must_use]
    pub fn alike(kind: KeyKind, n: u32, value_size: SizeLaw) -> Self {
        Self {
            kind,
            n,
            sample_of: None,
            value_size,
            compressible: 0.0,
            one_slot: false,
            missing_share: 0.0,
            missing_n: MISSING_N_DEFAULT,
            churn: None,
            generations: 1,
            from_rows: RowValues::default(),
            classes: Vec::new(),
        }
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
        if let Some(churn) = self.churn {
            let _ = writeln!(out, "churn = \"{}\"", churn.text());
        }
        if let Some((word, _)) = FROM_ROWS.iter().skip(1).find(|(_, values)| *values == self.from_rows) {
            let _ = writeln!(out, "from_rows = \"{word}\"");
        }
        self.classes.iter().for_each(|class| class.write(out));
    }
}

impl OwnKeys {
    /// Reads the classes, and what holds of a trace's rows; `traced` where the keys are a trace's. `None` where something is wrong.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, traced: bool) -> Option<Self> {
        if !traced {
            walk.foreign(fields, &["from_rows"], "with load.trace");
        }
        let from_rows = walk.word(fields, "from_rows", &FROM_ROWS, Some(RowValues::default()));
        let classes = KeyClass::read_all(walk, fields, traced);
        Some(Self { classes: classes?, from_rows: from_rows? })
    }

    /// What is asked of each key of a trace.
    pub(crate) fn asks(&self) -> KeyAsks {
        KeyAsks { patterns: Keys::patterns(&self.classes), values: self.from_rows }
    }
}

fn read_churn(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Option<Churn>> {
    if !fields.has("churn") {
        return Some(None);
    }
    walk.quantity(fields, "churn", &CHURN, Churn::RANGE, None).map(Some)
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
