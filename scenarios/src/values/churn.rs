//! Popularity that changes: `keys.churn`.
//!
//! A law of popularity says which rank is asked for. With churn a rank has one key after another: each is replaced by a new one, which nobody
//! has asked for before, once in the time in which all ranks are. The moments of the ranks lie evenly over that time, in an order that the seed
//! draws, so that the share of popular keys that are new is the same at every moment.

use std::time::Duration;

use strategies::rng::mix;
use strategies::time::nanos;
use strategies::units::{Unit, UnitFault};

const S_NS: f64 = 1e9;
const HOUR_S: f64 = 3600.0;
/// Of what is drawn for this alone.
const DRAWS: u64 = 0x6368_7572_6e21;
/// Units of time, by how many of them an hour has; the longest first.
const UNITS: [(&str, f64); 4] = [("/d", 1.0 / 24.0), ("/h", 1.0), ("/m", 60.0), ("/s", 3600.0)];
/// Less replaces no key in a day's run; more replaces each key every tenth of a second.
const PERCENT_PER_H: (f64, f64) = (1e-3, 3.6e6);

/// The share of the ranks that get a new key, as a percentage an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Churn {
    percent_per_h: f64,
}

/// Shares of the keys a unit of time.
pub(crate) const CHURN: Unit<Churn> = Unit {
    read: read_churn,
    show: Churn::text,
    words: "a share of the keys in %/s, %/m, %/h or %/d, 0.001%/h to 1000%/s",
    example: "10%/h",
    suffix: "%/h",
};

impl Churn {
    /// The time in which every rank gets a new key once.
    #[must_use]
    pub fn turnover(self) -> Duration {
        Duration::from_nanos((HOUR_S * S_NS * 100.0 / self.percent_per_h).round() as u64)
    }

    /// How many keys a rank may have had in so much time: the most.
    #[must_use]
    pub fn generations(self, total: Duration) -> u32 {
        let keys = nanos(total).div_ceil(nanos(self.turnover()).max(1)).saturating_add(1);
        u32::try_from(keys).unwrap_or(u32::MAX)
    }

    /// Which key a rank has so many nanoseconds after the start of the warm-up, from 0.
    #[must_use]
    pub fn generation(self, seed: u64, rank: u32, at_ns: u64) -> u32 {
        let turnover = nanos(self.turnover()).max(1);
        let phase = (u128::from(mix(mix(seed ^ DRAWS) ^ u64::from(rank))) * u128::from(turnover)) >> 64;
        u32::try_from((u128::from(at_ns) + phase) / u128::from(turnover)).unwrap_or(u32::MAX)
    }

    /// Scenario syntax that reads back the same.
    #[must_use]
    pub fn text(self) -> String {
        let whole = UNITS.iter().rev().find(|(_, per_h)| *per_h >= 1.0 && (self.percent_per_h / per_h).fract() == 0.0);
        let (unit, per_h) = whole.unwrap_or(&("/h", 1.0));
        format!("{}%{unit}", self.percent_per_h / per_h)
    }
}

fn read_churn(text: &str) -> Result<Churn, UnitFault> {
    let text = text.trim();
    let Some((number, unit)) = text.split_once('%') else {
        return Err(if text.parse::<f64>().is_ok() { UnitFault::NoUnit } else { UnitFault::UnknownUnit });
    };
    let (_, per_h) = UNITS.iter().find(|(word, _)| *word == unit.trim()).ok_or(UnitFault::UnknownUnit)?;
    let percent: f64 = number.trim().parse().map_err(|_| UnitFault::NoNumber)?;
    match percent {
        percent if !percent.is_finite() => Err(UnitFault::NotFinite),
        percent if percent < 0.0 => Err(UnitFault::Negative),
        percent => Ok(Churn { percent_per_h: percent * per_h }),
    }
}

impl PartialOrd for Churn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.percent_per_h.partial_cmp(&other.percent_per_h)
    }
}

impl Churn {
    /// The least and the most.
    pub(crate) const RANGE: std::ops::RangeInclusive<Self> =
        Self { percent_per_h: PERCENT_PER_H.0 }..=Self { percent_per_h: PERCENT_PER_H.1 };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn churn(text: &str) -> Churn {
        read_churn(text).unwrap()
    }

    #[test]
    fn a_churn_reads_back_the_same() {
        for (text, turnover_s, again) in [
            ("10%/h", 36_000.0, "10%/h"),
            ("10%/m", 600.0, "10%/m"),
            ("240 %/d", 36_000.0, "10%/h"),
            ("2.5%/s", 40.0, "150%/m"),
            ("0.1%/h", 3_600_000.0, "0.1%/h"),
            ("100%/s", 1.0, "100%/s"),
        ] {
            assert!((churn(text).turnover().as_secs_f64() - turnover_s).abs() < 1e-6, "{text}");
            assert_eq!(churn(text).text(), again);
            assert_eq!(churn(again), churn(text));
        }
        for (text, fault) in [
            ("10", UnitFault::NoUnit),
            ("10%", UnitFault::UnknownUnit),
            ("10/h", UnitFault::UnknownUnit),
            ("%/h", UnitFault::NoNumber),
            ("-1%/h", UnitFault::Negative),
            ("inf%/h", UnitFault::NotFinite),
        ] {
            assert_eq!(read_churn(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn each_rank_gets_a_new_key_once_a_turnover_and_they_do_so_evenly() {
        const S: u64 = 1_000_000_000;
        let churn = churn("10%/s");
        let of = |at_ns: u64| (1..=10_000).map(|rank| churn.generation(7, rank, at_ns)).collect::<Vec<_>>();
        assert!(of(0).iter().all(|generation| *generation == 0));
        let mut before = of(0);
        for second in 1..=20 {
            let now = of(second * S);
            let new = now.iter().zip(&before).filter(|(now, before)| now != before).count();
            assert!((900..=1100).contains(&new), "{new} of 10 000 in second {second}");
            before = now;
        }
        assert!(of(10 * S).iter().all(|generation| *generation == 1));
        let last = of(20 * S - 1).into_iter().max().unwrap();
        assert_eq!((last, churn.generations(Duration::from_secs(20))), (2, 3));
    }
}
