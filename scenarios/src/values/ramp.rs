//! Ramps: the moments at which an open load's rate changes, and how fast.
//!
//! The values and their text only; what a rate that changes means for arrivals is in `rate.rs`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::walk::{Fields, Walk};
use strategies::units::{DURATION, RATE, duration_text, rate_text};

/// One request in a quarter of an hour: below it a run has none.
pub(crate) const RATE_MIN_PER_S: f64 = 0.001;
pub(crate) const RATE_MAX_PER_S: f64 = 1_000_000.0;
/// Ramps that are said one by one; of more there is a summary.
const SAID_MAX: usize = 3;
const LENGTH_MAX: Duration = Duration::from_secs(24 * 3600);

/// One change of an open load's rate: linear from whatever it was, and kept until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// When it begins, after t = 0 (the start of the measured time).
    pub at: Duration,
    /// The rate at its end, requests per second over the whole fleet, 0.001 to 1,000,000.
    pub to_per_s: f64,
    /// How long it takes. Zero is a jump.
    pub over: Duration,
}

impl Ramp {
    /// When it has ended, after t = 0.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.at.saturating_add(self.over)
    }

    /// Reads the `[[load.ramp]]` of a load of this duration, where it is known. They must be in the order of time, and
    /// none may begin before the one above has ended: the file then reads as the load goes.
    pub(crate) fn read_all(walk: &mut Walk<'_>, load: &Fields<'_>, duration: Option<Duration>) -> Vec<Self> {
        let mut ramps: Vec<Self> = Vec::new();
        for fields in walk.sections(load, "load.ramp", &fields::RAMP) {
            if let Some(ramp) = Self::read(walk, &fields) {
                ramp.refuse_misplaced(walk, &fields, ramps.last(), duration);
                ramps.push(ramp);
            }
        }
        ramps
    }

    fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let at = walk.quantity(fields, "at", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        let to = walk.quantity(fields, "to", &RATE, RATE_MIN_PER_S..=RATE_MAX_PER_S, None);
        let over = walk.quantity(fields, "over", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        Some(Self { at: at?, to_per_s: to?, over: over? })
    }

    fn refuse_misplaced(
        &self,
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        above: Option<&Self>,
        duration: Option<Duration>,
    ) {
        if let (Some(above), Some(node)) = (above, fields.get("at"))
            && (self.at < above.end() || self.at == above.at)
        {
            let allowed = match above.end() {
                end if end == above.at => format!("later than {}, when the one above jumps", duration_text(end)),
                end => format!("{} or later, when the one above has ended", duration_text(end)),
            };
            walk.refuse(node, "ramps overlap, or are not in the order of time", &allowed, "move it, or the one above");
        }
        let (Some(duration), Some(at), Some(over)) = (duration, fields.get("at"), fields.get("over")) else { return };
        let length = duration_text(duration);
        if self.at >= duration {
            let allowed = format!("less than the duration, {length}");
            walk.refuse(
                at,
                "the ramp comes after the end of the run",
                &allowed,
                "move it earlier, or lengthen the run",
            );
        } else if self.end() > duration {
            let allowed = format!("at most {}, for it ends with the run", duration_text(duration - self.at));
            walk.refuse(over, "the ramp ends after the run", &allowed, "shorten it, or lengthen the run");
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (at, to, over) = (duration_text(self.at), rate_text(self.to_per_s), duration_text(self.over));
        let _ = writeln!(out, "\n[[load.ramp]]\nat = \"{at}\"\nto = \"{to}\"\nover = \"{over}\"");
    }
}

/// What follows a rate where a load is said in words: ` → 2000/s from 5s to 25s → 100/s at 40s`. Nothing of no ramps.
#[must_use]
pub fn ramps_in_words(ramps: &[Ramp]) -> String {
    if ramps.len() > SAID_MAX {
        let highest = ramps.iter().map(|ramp| ramp.to_per_s).fold(0.0, f64::max);
        return format!(" → {} ramps, up to {}", ramps.len(), rate_text(highest));
    }
    let said = ramps.iter().map(|ramp| {
        let (to, at) = (rate_text(ramp.to_per_s), duration_text(ramp.at));
        if ramp.over.is_zero() {
            return format!(" → {to} at {at}");
        }
        format!(" → {to} from {at} to {}", duration_text(ramp.end()))
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_are_said_in_words() {
        let ramp = |at, to_per_s, over| Ramp { at: Duration::from_secs(at), to_per_s, over: Duration::from_secs(over) };
        let ramps = [ramp(5, 2000.0, 20), ramp(40, 100.0, 0), ramp(41, 50.5, 1), ramp(50, 3.0, 1)];
        for (count, words) in [
            (0, ""),
            (1, " → 2000/s from 5s to 25s"),
            (3, " → 2000/s from 5s to 25s → 100/s at 40s → 50.5/s from 41s to 42s"),
            (4, " → 4 ramps, up to 2000/s"),
        ] {
            assert_eq!(ramps_in_words(&ramps[..count]), words);
        }
    }
}
