//! Ramps: the moments at which an open load's rate, or a closed load's number of clients, changes, and how fast.
//!
//! The values and their text only; what a rate that changes means for arrivals is in `rate.rs`, and what a number that
//! changes means for each client in `active.rs`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::walk::{Fields, Walk};
use strategies::units::{DURATION, RATE, duration_text, rate_text};

/// One request in a quarter of an hour: below it a run has none.
pub(crate) const RATE_MIN_PER_S: f64 = 0.001;
pub(crate) const RATE_MAX_PER_S: f64 = 1_000_000.0;
/// Most clients of a closed load.
pub(crate) const CLIENTS_MAX: u32 = 10_000_000;
/// Clients that begin at one moment would be a herd of the generator's making.
const CLIENTS_OVER_MIN: Duration = Duration::from_millis(1);
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

/// One change of a closed load's number of active clients: linear from whatever it was, and kept until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRamp {
    /// When it begins, after t = 0 (the start of the measured time).
    pub at: Duration,
    /// How many are active at its end, at least 1.
    pub clients: u32,
    /// How long it takes, at least a millisecond.
    pub over: Duration,
}

/// When a ramp begins and ends, after t = 0.
type RampTimes = (Duration, Duration);

impl Ramp {
    /// When it has ended, after t = 0.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.at.saturating_add(self.over)
    }

    /// Reads the `[[load.ramp]]` of an open load of this duration, where it is known.
    pub(crate) fn read_all(walk: &mut Walk<'_>, load: &Fields<'_>, duration: Option<Duration>) -> Vec<Self> {
        read_in_order(walk, load, duration, Self::read, |ramp| (ramp.at, ramp.end()))
    }

    fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        walk.foreign(fields, &["clients"], "with load.clients");
        let at = walk.quantity(fields, "at", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        let to = walk.quantity(fields, "to", &RATE, RATE_MIN_PER_S..=RATE_MAX_PER_S, None);
        let over = walk.quantity(fields, "over", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        Some(Self { at: at?, to_per_s: to?, over: over? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (at, to, over) = (duration_text(self.at), rate_text(self.to_per_s), duration_text(self.over));
        let _ = writeln!(out, "\n[[load.ramp]]\nat = \"{at}\"\nto = \"{to}\"\nover = \"{over}\"");
    }
}

impl ClientRamp {
    /// When it has ended, after t = 0.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.at.saturating_add(self.over)
    }

    /// Reads the `[[load.ramp]]` of a closed load of this duration, where it is known.
    pub(crate) fn read_all(walk: &mut Walk<'_>, load: &Fields<'_>, duration: Option<Duration>) -> Vec<Self> {
        read_in_order(walk, load, duration, Self::read, |ramp| (ramp.at, ramp.end()))
    }

    fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        walk.foreign(fields, &["to"], "with load.rate");
        let at = walk.quantity(fields, "at", &DURATION, Duration::ZERO..=LENGTH_MAX, None);
        let clients = walk.integer(fields, "clients", 1..=CLIENTS_MAX, None);
        let over = walk.quantity(fields, "over", &DURATION, CLIENTS_OVER_MIN..=LENGTH_MAX, None);
        Some(Self { at: at?, clients: clients?, over: over? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (at, over) = (duration_text(self.at), duration_text(self.over));
        let _ = writeln!(out, "\n[[load.ramp]]\nat = \"{at}\"\nclients = {}\nover = \"{over}\"", self.clients);
    }
}

/// Reads ramps. They must be in the order of time, and none may begin before the one above has ended: the file then reads
/// as the load goes.
fn read_in_order<T>(
    walk: &mut Walk<'_>,
    load: &Fields<'_>,
    duration: Option<Duration>,
    read: impl Fn(&mut Walk<'_>, &Fields<'_>) -> Option<T>,
    times: impl Fn(&T) -> RampTimes,
) -> Vec<T> {
    let mut ramps: Vec<T> = Vec::new();
    for fields in walk.sections(load, "load.ramp", &fields::RAMP) {
        if let Some(ramp) = read(walk, &fields) {
            refuse_misplaced(walk, &fields, times(&ramp), ramps.last().map(&times), duration);
            ramps.push(ramp);
        }
    }
    ramps
}

fn refuse_misplaced(
    walk: &mut Walk<'_>,
    fields: &Fields<'_>,
    (begin, end): RampTimes,
    above: Option<RampTimes>,
    duration: Option<Duration>,
) {
    if let (Some((above_begin, above_end)), Some(node)) = (above, fields.get("at"))
        && (begin < above_end || begin == above_begin)
    {
        let allowed = match above_end {
            end if end == above_begin => format!("later than {}, when the one above jumps", duration_text(end)),
            end => format!("{} or later, when the one above has ended", duration_text(end)),
        };
        walk.refuse(node, "ramps overlap, or are not in the order of time", &allowed, "move it, or the one above");
    }
    let (Some(duration), Some(at), Some(over)) = (duration, fields.get("at"), fields.get("over")) else { return };
    let length = duration_text(duration);
    if begin >= duration {
        let allowed = format!("less than the duration, {length}");
        walk.refuse(at, "the ramp comes after the end of the run", &allowed, "move it earlier, or lengthen the run");
    } else if end > duration {
        let allowed = format!("at most {}, for it ends with the run", duration_text(duration - begin));
        walk.refuse(over, "the ramp ends after the run", &allowed, "shorten it, or lengthen the run");
    }
}

/// What follows a rate where a load is said in words: ` → 2000/s from 5s to 25s → 100/s at 40s`. Nothing of no ramps.
#[must_use]
pub fn ramps_in_words(ramps: &[Ramp]) -> String {
    let highest = ramps.iter().map(|ramp| ramp.to_per_s).fold(0.0, f64::max);
    let said = ramps.iter().map(|ramp| (rate_text(ramp.to_per_s), (ramp.at, ramp.end())));
    in_words(said.collect(), &rate_text(highest))
}

/// What follows a number of clients where a load is said in words: ` → 200 from 5s to 25s`. Nothing of no ramps.
#[must_use]
pub fn client_ramps_in_words(ramps: &[ClientRamp]) -> String {
    let highest = ramps.iter().map(|ramp| ramp.clients).max().unwrap_or(0);
    let said = ramps.iter().map(|ramp| (ramp.clients.to_string(), (ramp.at, ramp.end())));
    in_words(said.collect(), &highest.to_string())
}

fn in_words(ramps: Vec<(String, RampTimes)>, highest: &str) -> String {
    if ramps.len() > SAID_MAX {
        return format!(" → {} ramps, up to {highest}", ramps.len());
    }
    let said = ramps.into_iter().map(|(to, (begin, end))| {
        let at = duration_text(begin);
        if begin == end {
            return format!(" → {to} at {at}");
        }
        format!(" → {to} from {at} to {}", duration_text(end))
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
    #[test]
    fn ramps_of_clients_are_said_in_words() {
        let ramp = |at, clients| ClientRamp { at: Duration::from_secs(at), clients, over: Duration::from_secs(5) };
        let ramps = [ramp(5, 200), ramp(10, 200), ramp(15, 20), ramp(20, 3)];
        for (count, words) in
            [(0, ""), (2, " → 200 from 5s to 10s → 200 from 10s to 15s"), (4, " → 4 ramps, up to 200")]
        {
            assert_eq!(client_ramps_in_words(&ramps[..count]), words);
        }
    }
}
