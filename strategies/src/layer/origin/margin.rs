//! How long a read is going to take, from how long the last ones took: what is left of a read's budget must be more.

use std::time::Duration;

/// Before a read has been seen (RFC 6298, section 2.1).
const UNKNOWN: Duration = Duration::from_secs(1);
/// Reads that all take the same have no deviation; the way there takes its time.
const LEAST: Duration = Duration::from_millis(10);

/// The mean and the mean deviation of reads, smoothed, and their sum SRTT + 4·RTTVAR: what TCP waits for an answer (RFC 6298,
/// section 2). Few reads take longer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Estimate {
    /// Seconds; `None` before the first read.
    mean_and_deviation: Option<(f64, f64)>,
}

impl Estimate {
    /// Notes how long a read took.
    pub(super) fn add(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.mean_and_deviation = Some(match self.mean_and_deviation {
            None => (took, took / 2.0),
            Some((mean, deviation)) => {
                (mean + (took - mean) / 8.0, deviation + ((took - mean).abs() - deviation) / 4.0)
            }
        });
    }

    /// How much of its budget a read must have left. Never more than half of it: an origin that was slow once must be asked
    /// again.
    pub(super) fn margin(&self, budget: Duration) -> Duration {
        let Some((mean, deviation)) = self.mean_and_deviation else { return UNKNOWN.min(budget / 2) };
        let margin = mean + 4.0 * deviation;
        Duration::from_secs_f64(margin.max(LEAST.as_secs_f64())).min(budget / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const READ: Duration = Duration::from_secs(5);

    #[test]
    fn it_is_what_the_rfc_says() {
        let mut estimate = Estimate::default();
        assert_eq!(estimate.margin(READ), MS * 1000, "nothing is known");
        estimate.add(MS * 100);
        assert_eq!(estimate.margin(READ), MS * 300, "SRTT = R, RTTVAR = R/2");
        estimate.add(MS * 180);
        // SRTT = 100 + 80/8 = 110, RTTVAR = 50 + (80 - 50)/4 = 57.5
        assert_eq!(estimate.margin(READ), MS * 340);
        (0..100).for_each(|_| estimate.add(MS * 100));
        assert!(
            (MS * 100..MS * 101).contains(&estimate.margin(READ)),
            "{:?}: steady reads need no slack",
            estimate.margin(READ)
        );
    }

    #[test]
    fn it_never_asks_for_more_than_half_a_budget() {
        let mut estimate = Estimate::default();
        (0..50).for_each(|n| estimate.add(MS * (1 + n % 2) * 4000));
        assert_eq!(estimate.margin(READ), READ / 2);
    }
}
