//! A failing case made smaller: faults go first, then requests, then replicas, as long as the same invariant breaks.

use strategies::Spec;

use super::case::{Case, FaultTarget};
use super::play::play;

/// How often a case is played again to make it smaller.
const TRIES: usize = 400;

/// The smallest case found that breaks the same invariant.
#[must_use]
pub fn shrink(case: &Case, spec: &Spec, invariant: &str) -> Case {
    let mut tries = TRIES;
    let mut fails = |case: &Case| {
        let Some(left) = tries.checked_sub(1) else { return false };
        tries = left;
        play(case, spec, false).violation.is_some_and(|violation| violation.invariant == invariant)
    };
    let mut best = case.clone();
    let mut at = 0;
    while at < best.faults.len() {
        let mut smaller = best.clone();
        smaller.faults.remove(at);
        if fails(&smaller) {
            best = smaller;
        } else {
            at += 1;
        }
    }
    let mut chunk = best.asks.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < best.asks.len() {
            let mut smaller = best.clone();
            smaller.asks.drain(at..(at + chunk).min(best.asks.len()));
            if fails(&smaller) {
                best = smaller;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    for replicas in 1..best.replicas {
        let mut smaller = best.clone();
        smaller.replicas = replicas;
        smaller.asks.iter_mut().for_each(|ask| ask.replica %= replicas);
        for fault in &mut smaller.faults {
            if let FaultTarget::Replica(number) = &mut fault.whom {
                *number %= replicas;
            }
        }
        if fails(&smaller) {
            return smaller;
        }
    }
    best
}
