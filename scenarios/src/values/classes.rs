//! Keys of their own kind: `[[keys.class]]`.
//!
//! In a load that is drawn, a class is so many keys behind all others, a share of the requests, and a law of its own. In a trace the keys are
//! there already, and a class is those whose names fit a pattern.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::quoted::quoted;
use crate::schema::walk::{Fields, Walk};
use crate::values::popularity::{KeyKind, N_MAX};
use crate::values::size::SizeLaw;
use strategies::units::{DURATION, duration_text};

/// The most classes: so many patterns a trace's reader takes, and a byte tells them apart.
const CLASSES_MAX: usize = 64;
/// The longest TTL.
pub(crate) const TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// The shortest one.
pub(crate) const TTL_MIN: Duration = Duration::from_millis(1);

/// Keys of their own kind.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyClass {
    /// Which.
    pub which: ClassKeys,
    /// Their TTL; `None`: the cache's.
    pub ttl: Option<Duration>,
    /// How large their values are; `None`: as all others.
    pub value_size: Option<SizeLaw>,
}

/// Which keys a class has.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassKeys {
    /// Keys behind those of the classes before.
    Drawn {
        /// The share of the requests for keys that exist, in (0, 1).
        share: f64,
        /// How many, at least 1.
        n: u32,
        /// How popularity is spread over them.
        kind: KeyKind,
    },
    /// Keys of a trace whose names fit, where no class before took them.
    Named {
        /// A regular expression.
        pattern: String,
    },
}

impl KeyClass {
    /// How many keys it has beside the others; 0 of a trace's.
    #[must_use]
    pub fn n(&self) -> u32 {
        match self.which {
            ClassKeys::Drawn { n, .. } => n,
            ClassKeys::Named { .. } => 0,
        }
    }

    /// The share of the requests, of keys that are drawn.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self.which {
            ClassKeys::Drawn { share, .. } => share,
            ClassKeys::Named { .. } => 0.0,
        }
    }

    /// Reads `[[keys.class]]` of `[keys]`; `traced` where the keys are a trace's. `None` where one is wrong.
    pub(crate) fn read_all(walk: &mut Walk<'_>, keys: &Fields<'_>, traced: bool) -> Option<Vec<Self>> {
        let tables = walk.sections(keys, "keys.class", &fields::CLASS);
        if let Some(node) = keys.get("class").filter(|_| tables.len() > CLASSES_MAX) {
            let found = format!("found {}, allowed {CLASSES_MAX}", tables.len());
            walk.report(&node.place, "too many classes of keys", found, "put some together");
            return None;
        }
        let classes: Vec<Option<Self>> = tables.iter().map(|fields| Self::read(walk, fields, traced)).collect();
        let classes = classes.into_iter().collect::<Option<Vec<Self>>>()?;
        let shares: f64 = classes.iter().map(Self::share).sum();
        if shares >= 1.0 {
            let node = keys.get("class")?;
            let found = format!("found shares of {shares:?} together, allowed less than 1");
            walk.report(&node.place, "classes leave no requests for the other keys", found, "lower a share");
            return None;
        }
        Some(classes)
    }

    fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, traced: bool) -> Option<Self> {
        let which = if traced { read_named(walk, fields) } else { read_drawn(walk, fields) };
        let ttl = match fields.has("ttl") {
            true => walk.quantity(fields, "ttl", &DURATION, TTL_MIN..=TTL_MAX, None).map(Some),
            false => Some(None),
        };
        let value_size = match fields.has("value_size") {
            true => SizeLaw::read(walk, fields).map(Some),
            false => Some(None),
        };
        Some(Self { which: which?, ttl: ttl?, value_size: value_size? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("\n[[keys.class]]\n");
        match &self.which {
            ClassKeys::Drawn { share, n, kind } => {
                let _ = writeln!(out, "share = {share:?}\nn = {n}");
                kind.write(out);
            }
            ClassKeys::Named { pattern } => {
                let _ = writeln!(out, "pattern = {}", quoted(pattern));
            }
        }
        if let Some(ttl) = self.ttl {
            let _ = writeln!(out, "ttl = \"{}\"", duration_text(ttl));
        }
        if let Some(sizes) = self.value_size {
            let _ = writeln!(out, "value_size = {}", sizes.toml());
        }
    }
}

fn read_drawn(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<ClassKeys> {
    walk.foreign(fields, &["pattern"], "with load.trace");
    let share = walk.number(fields, "share", "more than 0, less than 1", |share| share > 0.0 && share < 1.0);
    let n = walk.integer(fields, "n", 1..=N_MAX, None);
    let kind = KeyKind::read(walk, fields, n);
    Some(ClassKeys::Drawn { share: share?, n: n?, kind: kind? })
}

fn read_named(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<ClassKeys> {
    let drawn = ["share", "n", "kind", "hot_share", "exponent"];
    walk.foreign(fields, &drawn, "with load.clients or load.rate: a trace has its own keys");
    walk.text(fields, "pattern", "^session:").map(|pattern| ClassKeys::Named { pattern })
}
