//! A failing case made smaller: faults go first, then requests, then replicas, as long as the same invariant breaks.

use super::case::{Case, FaultTarget};
use super::play::play;
use super::subject::FuzzSubject;

/// How often a case is played again to make it smaller.
const TRIES: usize = 400;

/// The smallest case found that breaks the same invariant.
#[must_use]
pub fn shrink(case: &Case, subject: &FuzzSubject, invariant: &str) -> Case {
    let mut tries = TRIES;
    let mut fails = |case: &Case| {
        let Some(left) = tries.checked_sub(1) else { return false };
        tries = left;
        play(case, subject, false).violation.is_some_and(|violation| violation.invariant == invariant)
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
    best = without_some(best, &mut fails, |case| &mut case.asks);
    best = without_some(best, &mut fails, |case| &mut case.writes);
    for replicas in 1..best.replicas {
        let mut smaller = best.clone();
        smaller.replicas = replicas;
        smaller.asks.iter_mut().for_each(|ask| ask.replica %= replicas);
        smaller.writes.iter_mut().for_each(|write| write.replica %= replicas);
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

/// Without as many of these as can go, half of them at a time first.
fn without_some<T>(mut best: Case, fails: &mut impl FnMut(&Case) -> bool, of: fn(&mut Case) -> &mut Vec<T>) -> Case {
    let mut chunk = of(&mut best).len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < of(&mut best).len() {
            let mut smaller = best.clone();
            let all = of(&mut smaller);
            let end = (at + chunk).min(all.len());
            all.drain(at..end);
            if fails(&smaller) {
                best = smaller;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    best
}
