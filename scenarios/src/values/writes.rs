//! Writes: how often items get a new value while they are read, and which.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;
use crate::values::popularity::KeyKind;
use crate::values::ramp::{RATE_MAX_PER_S, RATE_MIN_PER_S};
use strategies::units::{RATE, duration_text, rate_text};

/// Most writes of a run: the moment of each is held until its end.
pub(crate) const WRITES_MAX: f64 = 1e7;

/// The writes of a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writes {
    /// How often.
    pub pace: WritePace,
    /// How they are spread over the keys; `None`: as the reads are. Items that do not exist are not written.
    pub kind: Option<KeyKind>,
}

/// How often items are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WritePace {
    /// So many writes a second over the whole fleet, Poisson, beside the load and by nobody who reads.
    Rate(f64),
    /// This share of the load's own requests, above 0, below 1: a client that writes reads, too.
    Share(f64),
}

impl Writes {
    /// Reads `[writes]`. `keys` and `total` (the load's time) are what they are where those could be read.
    pub(crate) fn read(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        keys: Option<&Keys>,
        total: Option<Duration>,
    ) -> Option<Self> {
        let pace = match (fields.has("rate"), fields.has("share")) {
            (true, false) => {
                let rate = walk.quantity(fields, "rate", &RATE, RATE_MIN_PER_S..=RATE_MAX_PER_S, None);
                rate.and_then(|rate| not_too_many(walk, fields, rate, total)).map(WritePace::Rate)
            }
            (false, true) => walk
                .number(fields, "share", "more than 0, less than 1", |share| share > 0.0 && share < 1.0)
                .map(WritePace::Share),
            (true, true) => {
                if let Some(node) = fields.get("share") {
                    let allowed = "rate (beside the load) or share (of the load)";
                    walk.refuse(node, "`rate` and `share` exclude each other", allowed, "remove one of the two");
                }
                None
            }
            (false, false) => {
                walk.missing(fields, "rate", "write rate = \"20/s\", or share = 0.05");
                None
            }
        };
        let kind = match fields.has("kind") {
            true => KeyKind::read(walk, fields, keys.map(|keys| keys.n)).map(Some),
            false => {
                walk.foreign(fields, &["hot_share", "exponent"], "with kind");
                Some(None)
            }
        };
        Some(Self { pace: pace?, kind: kind? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        let _ = match self.pace {
            WritePace::Rate(rate) => writeln!(out, "\n[writes]\nrate = \"{}\"", rate_text(rate)),
            WritePace::Share(share) => writeln!(out, "\n[writes]\nshare = {share:?}"),
        };
        if let Some(kind) = self.kind {
            kind.write(out);
        }
    }

    /// What follows a load that is said in words: `, 20/s writes`, `, 5 % of them writes`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.pace {
            WritePace::Rate(rate) => format!(", {} writes", rate_text(rate)),
            // To a thousandth of a percent: 0.07 × 100 is not quite 7.
            WritePace::Share(share) => format!(", {} % of them writes", (share * 1e5).round() / 1e3),
        }
    }
}

fn not_too_many(walk: &mut Walk<'_>, fields: &Fields<'_>, rate: f64, total: Option<Duration>) -> Option<f64> {
    let Some((total, node)) = total.zip(fields.get("rate")) else { return Some(rate) };
    let writes = rate * total.as_secs_f64();
    if writes <= WRITES_MAX {
        return Some(rate);
    }
    let (rate, total) = (rate_text(rate), duration_text(total));
    let found = format!("found {rate} for {total}, that is {writes:.0} writes, allowed {WRITES_MAX:.0}");
    walk.report(&node.place, "too many writes", found, "lower the rate or the duration");
    None
}
