//! Retries: how often a client tries again, when, and how many retries all clients may send together.
//!
//! A request is one call of a user, and is planned and counted as one; its tries are attempts. Between two attempts a client
//! waits an exponential back-off with full jitter, uniform in [0, min(cap, base · 2^k)] before attempt k + 2 (Brooker,
//! "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), and at least as long as `Retry-After` says. The budget is a
//! token bucket (as in Finagle, and Google's SRE book, chapter 22): see [`RetryBudget`].

use std::fmt::Write as _;
use std::time::Duration;

use strategies::rng::{Rng, mix, unit};
use strategies::units::{DURATION, duration_text};

use crate::schema::walk::{Fields, Walk};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const ATTEMPTS_MAX: u32 = 20;
const BASE_DEFAULT: Duration = Duration::from_millis(100);
const CAP_DEFAULT: Duration = Duration::from_secs(2);

/// Retries that a budget allows whatever came before: what a bucket holds at most.
pub const RETRY_RESERVE: f64 = 10.0;

/// How clients try again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// How often a request is tried in all, 2 to 20.
    pub attempts: u32,
    /// The first back-off at most.
    pub base: Duration,
    /// Any back-off at most.
    pub cap: Duration,
    /// Retries for each first attempt, over all clients, above 0, at most 1; `None` where there is no budget.
    pub budget: Option<f64>,
    /// Whether a client waits as long as `Retry-After` says.
    pub retry_after: bool,
}

impl Retry {
    /// Reads `[load.retry]`.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let attempts = walk.integer(fields, "attempts", 2..=ATTEMPTS_MAX, None);
        let base = walk.quantity(fields, "base", &DURATION, MS..=HOUR, Some(BASE_DEFAULT));
        let cap = walk.quantity(fields, "cap", &DURATION, MS..=HOUR, Some(CAP_DEFAULT));
        let budget = if fields.has("budget") {
            walk.number(fields, "budget", "above 0, at most 1", |share| share > 0.0 && share <= 1.0).map(Some)
        } else {
            Some(None)
        };
        let retry_after = walk.word(fields, "retry_after", &[("honour", true), ("ignore", false)], Some(true));
        if let (Some(base), Some(cap)) = (base, cap)
            && base > cap
            && let Some(node) = fields.get("base").or(fields.get("cap"))
        {
            let found = format!("found base = {} and cap = {}", duration_text(base), duration_text(cap));
            walk.report(
                &node.place,
                "the first back-off is longer than any may be",
                format!("{found}, allowed base up to cap"),
                "lower base, or raise cap",
            );
            return None;
        }
        Some(Self { attempts: attempts?, base: base?, cap: cap?, budget: budget?, retry_after: retry_after? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        let Self { attempts, base, cap, budget, retry_after } = self;
        let (base, cap) = (duration_text(*base), duration_text(*cap));
        let _ = writeln!(out, "\n[load.retry]\nattempts = {attempts}\nbase = \"{base}\"\ncap = \"{cap}\"");
        if let Some(budget) = budget {
            let _ = writeln!(out, "budget = {budget:?}");
        }
        let _ = writeln!(out, "retry_after = \"{}\"", if *retry_after { "honour" } else { "ignore" });
    }

    /// How long a client waits after attempt number `attempt` (from 1) of a request has failed. `asked` is what the server's
    /// `Retry-After` said. The draw is a function of the seed, the request and the attempt.
    #[must_use]
    pub fn wait(&self, seed: u64, request: RequestId, attempt: u32, asked: Option<Duration>) -> Duration {
        let longest = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(30)).min(self.cap);
        let root = Rng::new(seed).fork("retry").next_u64();
        let of_request = mix(mix(root ^ request.at_ns.cast_unsigned()) ^ u64::from(request.key));
        let backoff = longest.mul_f64(unit(mix(of_request ^ u64::from(attempt))));
        backoff + asked.filter(|_| self.retry_after).unwrap_or_default()
    }
}

/// Which request it is: no two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// Its intended send, nanoseconds since t = 0.
    pub at_ns: i64,
    /// Its key.
    pub key: u32,
}

/// The budget of all clients together: each first attempt puts `share` of a token into a bucket that holds at most
/// [`RETRY_RESERVE`] and is full at first; each retry takes one. So of the requests of any span of time there are at most
/// `share` × first attempts + [`RETRY_RESERVE`] retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    /// `None` where there is no budget.
    share: Option<f64>,
    tokens: f64,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn of(retry: Option<&Retry>) -> Self {
        Self { share: retry.and_then(|retry| retry.budget), tokens: RETRY_RESERVE }
    }

    /// A first attempt is sent.
    pub fn first(&mut self) {
        self.tokens = (self.tokens + self.share.unwrap_or(0.0)).min(RETRY_RESERVE);
    }

    /// Whether one more retry may be sent; if so, it is paid for.
    #[must_use]
    pub fn allows(&mut self) -> bool {
        if self.share.is_none() {
            return true;
        }
        let allowed = self.tokens >= 1.0;
        self.tokens -= if allowed { 1.0 } else { 0.0 };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RETRY: Retry = Retry {
        attempts: 4,
        base: BASE_DEFAULT,
        cap: Duration::from_millis(300),
        budget: Some(0.2),
        retry_after: true,
    };

    fn waits(attempt: u32, asked: Option<Duration>) -> Vec<Duration> {
        (0..2000).map(|n| RETRY.wait(42, RequestId { at_ns: n * 1_000_000, key: 7 }, attempt, asked)).collect()
    }

    #[test]
    fn back_offs_fill_their_range_evenly_and_double_up_to_the_cap() {
        for (attempt, longest_ms) in [(1, 100.0), (2, 200.0), (3, 300.0), (9, 300.0), (99, 300.0)] {
            let waits: Vec<f64> = waits(attempt, None).iter().map(|wait| wait.as_secs_f64() * 1e3).collect();
            let most = waits.iter().copied().fold(0.0, f64::max);
            let mean = waits.iter().sum::<f64>() / waits.len() as f64;
            assert!(most <= longest_ms && most > 0.99 * longest_ms, "attempt {attempt}: {most}");
            assert!((mean / longest_ms - 0.5).abs() < 0.02, "attempt {attempt}: {mean}");
        }
    }

    #[test]
    fn the_servers_word_comes_first_and_the_jitter_after_it() {
        let asked = Duration::from_secs(2);
        let waits = waits(1, Some(asked));
        assert!(waits.iter().all(|wait| (asked..=asked + BASE_DEFAULT).contains(wait)));
        assert!(waits.iter().any(|wait| *wait > asked + BASE_DEFAULT / 2), "they do not come back together");
        let ignores = Retry { retry_after: false, ..RETRY };
        assert!(ignores.wait(42, RequestId { at_ns: 0, key: 7 }, 1, Some(asked)) <= BASE_DEFAULT);
    }

    #[test]
    fn a_wait_is_a_function_of_seed_request_and_attempt() {
        let id = RequestId { at_ns: 5, key: 7 };
        let wait = |seed, id, attempt| RETRY.wait(seed, id, attempt, None);
        assert_eq!(wait(1, id, 3), wait(1, id, 3));
        assert_ne!(wait(1, id, 3), wait(2, id, 3));
        assert_ne!(wait(1, id, 3), wait(1, id, 4));
        assert_ne!(wait(1, id, 3), wait(1, RequestId { key: 8, ..id }, 3));
    }

    #[test]
    fn without_a_budget_every_retry_is_allowed() {
        let mut budget = RetryBudget::of(Some(&Retry { budget: None, ..RETRY }));
        assert!((0..1000).all(|_| budget.allows()));
    }

    proptest! {
        #[test]
        fn in_any_span_of_time_retries_are_bounded(steps in prop::collection::vec(any::<bool>(), 1..600), share in 0.01..1.0_f64) {
            let mut budget = RetryBudget::of(Some(&Retry { budget: Some(share), ..RETRY }));
            // The largest excess of any span that ends here (Kadane).
            let mut excess = 0.0_f64;
            for first in steps {
                if first {
                    budget.first();
                    excess = (excess - share).max(0.0);
                } else if budget.allows() {
                    excess += 1.0;
                }
                prop_assert!(excess <= RETRY_RESERVE + 1e-6, "{excess}");
            }
        }
    }
}
