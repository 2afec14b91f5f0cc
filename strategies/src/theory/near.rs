//! What copies in processes come to, and caches without a shared one. Rates in 1/s, times in s.
//!
//! A replica of R gets r_p = r/R of a key's requests a second. Its copy lives for L; the first request after its end, 1/r_p later in the
//! mean of Poisson arrivals, reads the shared cache, and the next copy lives from its reply on.

use super::circumstances::{Circumstances, FilledBy, Gaps, Readers};
use crate::policy::Early;
use crate::spec::Spec;

/// Reads of the shared cache for one key by all `replicas`, with one reader a process at a time: R / (L + 1/r_p). For a key that no
/// write and no expiry takes away.
#[must_use]
pub fn shared_reads_per_s(rate: f64, replicas: f64, life_s: f64) -> f64 {
    replicas / (life_s + replicas / rate)
}

/// The same where the load's Poisson requests go to the replicas in turns, as the lab's do: a replica's own gaps are then sums of R
/// exponential ones, of mean 1/r_p and squared coefficient of variation 1/R, and the next request after a copy's end comes
/// (1 + 1/R)/2 · 1/r_p later in the mean (the residual life of a renewal process, long after a renewal: Cox, "Renewal Theory", 1962, 5.2).
#[must_use]
pub fn shared_reads_in_turns_per_s(rate: f64, replicas: f64, life_s: f64) -> f64 {
    replicas / (life_s + f64::midpoint(1.0, 1.0 / replicas) * replicas / rate)
}

/// The same where each request that finds no copy reads: times 1 + r_p·RTT, for so many come before the first reply does.
#[must_use]
pub fn shared_reads_uncoalesced_per_s(rate: f64, replicas: f64, life_s: f64, round_trip_s: f64) -> f64 {
    let herd = 1.0 + rate / replicas * round_trip_s;
    herd * replicas / (life_s + replicas / rate)
}

/// How many times fewer reads than requests: 1 + r_p·L.
#[must_use]
pub fn reduction(rate: f64, replicas: f64, life_s: f64) -> f64 {
    1.0 + rate / replicas * life_s
}

/// Messages that a subscriber misses which is away for `gap_s` while keys are written: w·gap.
#[must_use]
pub fn messages_lost(writes_per_s: f64, gap_s: f64) -> f64 {
    writes_per_s * gap_s
}

/// Distinct keys of `keys` that are written in a gap, each as likely as any other: K·(1 − (1 − 1/K)^(w·gap)), the mean over Poisson
/// writes being K·(1 − e^(−w·gap/K)). So many copies are wrong after it, at most.
#[must_use]
pub fn keys_written(writes_per_s: f64, gap_s: f64, keys: f64) -> f64 {
    keys * (1.0 - (-messages_lost(writes_per_s, gap_s) / keys).exp())
}

/// Origin reads at an expiry of a key with n entries, all reads that miss filling: n + r·d in all. Where the entries expire together they
/// come within d of one another; with lives of their own each entry's 1 + r·d/n come at its own expiry.
#[must_use]
pub fn herd_of_copies(rate: f64, service_s: f64, copies: f64) -> f64 {
    copies * (1.0 + rate / copies * service_s)
}

/// Origin reads for a TTL where each replica has its own cache: R·(1 + r_p·d).
#[must_use]
pub fn herd_of_own_caches(rate: f64, service_s: f64, replicas: f64) -> f64 {
    replicas * (1.0 + rate / replicas * service_s)
}

/// What is predicted of a strategy's reads of the shared cache a second: for copies of one life, one reader a process at a time, and a
/// key that is asked for alone, at an even rate, by Poisson arrivals, and that nothing takes away: its entry does not expire within the run.
/// A copy must be asked for ten times in its life, for the formula is that of a renewal process long after a renewal.
#[must_use]
pub fn shared_reads(spec: &Spec, at: &Circumstances) -> Option<f64> {
    let near = spec.near.as_ref()?;
    let Readers::Open { per_s, gaps: Gaps::Poisson } = at.readers else { return None };
    let (least, most) = near.lives();
    let alone = at.h() >= 1.0 && at.missing == 0.0;
    let calm = at.steady && at.events == 0 && !at.writes && !at.slots;
    let known = near.coalesces && near.bus.is_none() && least == most && spec.broken.is_none();
    let run = match at.filled {
        FilledBy::ByLoad(warmup) => warmup + at.measured,
        FilledBy::Otherwise => return None,
    };
    let long = spec.policy.life(at.ttl).soft > run && spec.policy.early == Early::Never;
    let often = per_s / f64::from(at.replicas.max(1)) * least.as_secs_f64() >= 10.0;
    (often && alone && calm && known && long)
        .then(|| shared_reads_in_turns_per_s(per_s, f64::from(at.replicas), least.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the article's example, 100 000 requests a second for one key and copies of 1 s.
    #[test]
    fn the_articles_hot_key() {
        let rounded = |x: f64| x.round() as u64;
        for (replicas, reads, times) in [(20.0, 20, 5001), (1000.0, 990, 101)] {
            assert_eq!(rounded(shared_reads_per_s(1e5, replicas, 1.0)), reads);
            assert_eq!(rounded(reduction(1e5, replicas, 1.0)), times);
        }
        assert_eq!([20.0, 1000.0].map(|replicas| rounded(shared_reads_in_turns_per_s(1e5, replicas, 1.0))), [20, 995]);
        assert_eq!(rounded(shared_reads_uncoalesced_per_s(1e5, 20.0, 1.0, 500e-6)), 70);
        assert_eq!(rounded(messages_lost(10.0, 2.0)), 20);
        assert!((keys_written(10.0, 2.0, 100.0) - 18.13).abs() < 0.01);
        assert_eq!((rounded(herd_of_copies(100.0, 0.2, 10.0)), rounded(herd_of_own_caches(100.0, 0.2, 3.0))), (30, 23));
    }
}
