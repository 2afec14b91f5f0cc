//! Waiting for a connection of a pool: M/M/c, and an approximation of M/G/c.
//!
//! Requests come as a Poisson stream of rate λ, hold a connection for a time of mean S and squared coefficient of variation C², and are
//! served first come, first served by c connections. Offered load a = λ·S; the pool keeps up where a < c. Where holding times are
//! exponential (C² = 1) the formulas are exact. Where they vary more, as hits of a millisecond beside misses of fifty do, about as many
//! wait, and (1 + C²)/2 times as long.
//!
//! Sources: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone exchanges"
//! (1917); L. Kleinrock, "Queueing Systems", volume 1 (1975), section 3.5; A. M. Lee and P. A. Longton, "Queueing processes associated
//! with airline passenger check-in", Operational Research Quarterly 10 (1959), for the factor.

use std::time::Duration;

/// What is expected of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolWaits {
    /// The share that has to wait, Erlang's C.
    pub share: f64,
    /// The 99th percentile of the wait, those that don't wait included.
    pub p99: Duration,
}

/// The waits for `connections` where `offered` of them are held on average, each for `held` on average with that squared coefficient of
/// variation; `None` where they do not keep up.
#[must_use]
pub fn pool_waits(connections: u32, offered: f64, held: Duration, variation: f64) -> Option<PoolWaits> {
    let servers = f64::from(connections);
    if !(offered > 0.0 && offered < servers && variation >= 0.0) {
        return None;
    }
    // Erlang's B by its recursion, which neither overflows nor cancels; then C of it.
    let blocked = (1..=connections).map(f64::from).fold(1.0, |b, n| offered * b / (n + offered * b));
    let share = servers * blocked / (servers - offered * (1.0 - blocked));
    // P(W > t) = C·e^(−(c − a)·t/S), with t shorter by the factor.
    let longer = f64::midpoint(1.0, variation);
    let p99 = match share {
        ..=0.01 => Duration::ZERO,
        _ => held.mul_f64((share / 0.01).ln() / (servers - offered) * longer),
    };
    Some(PoolWaits { share, p99 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_waits_for_what_is_offered_and_many_as_tables_say() {
        let of = |connections, offered| pool_waits(connections, offered, Duration::from_millis(10), 1.0);
        let one = of(1, 0.5).unwrap();
        assert!((one.share - 0.5).abs() < 1e-12, "M/M/1: P(wait) is the load");
        // ln(50)/(1 − 0.5)·10 ms.
        assert!((one.p99.as_secs_f64() - 0.078_240).abs() < 1e-6, "{one:?}");
        // Tables of Erlang's C.
        for (connections, offered, share) in [(2, 1.0, 1.0 / 3.0), (5, 4.0, 0.554_1), (10, 6.0, 0.101_3)] {
            assert!((of(connections, offered).unwrap().share - share).abs() < 1e-4, "{connections} {offered}");
        }
        assert_eq!((of(4, 4.0), of(4, 0.0), of(4, f64::NAN)), (None, None, None));
        assert_eq!(of(10_000, 1.0).unwrap().p99, Duration::ZERO);
        let varied = pool_waits(1, 0.5, Duration::from_millis(10), 3.0).unwrap();
        assert_eq!(
            (varied.share, varied.p99),
            (one.share, 2 * one.p99),
            "M/G/1 waits (1 + C²)/2 times as long (Pollaczek and Khinchine)"
        );
    }
}
