//! A strategy within a scenario's budgets: what follows them, and what cannot work within them.

use std::time::Duration;

use super::Spec;
use crate::fill::{Hold, LEASE_MARGIN, LockSettings};
use crate::kit::units::duration_text;
use crate::stack::budgets::Budgets;

/// Why a strategy cannot work for an origin: what of it was found, what is allowed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong, in a clause.
    pub what: &'static str,
    /// The parameter and its value, as they would be typed: `lock(lease=10s)`.
    pub found: String,
    /// What is allowed, in a clause.
    pub allowed: String,
    /// What to do.
    pub remedy: String,
}

impl Spec {
    /// The same where whatever says `auto` follows these budgets.
    #[must_use]
    pub fn fitted(mut self, budgets: &Budgets) -> Self {
        self.fill.iter_mut().for_each(|layer| *layer = layer.fitted(budgets));
        self
    }

    /// Why no read that takes `read` would come to anything: its holder gives up before. `None` where it would. The
    /// strategy is one that was [fitted](Self::fitted) to these budgets.
    #[must_use]
    pub fn unfit(&self, read: Duration, budgets: &Budgets) -> Option<Unfit> {
        let locks = || self.fill.iter().filter_map(|layer| layer.lock());
        let short = locks().find(|lock| lock.hold.budget() <= read).map(|lock| too_short(lock.hold, read));
        let blind = locks().find(|lock| !lock.notify && lock.poll.min(lock.wait) >= budgets.replica);
        let margins = self.origin.iter().filter_map(|layer| layer.limit()?.margin);
        let mut limits = margins.filter(|margin| *margin >= budgets.origin_read);
        let margin = |margin| Unfit {
            what: "a limit that lets no read through that has waited",
            found: format!("limit(margin={})", duration_text(margin)),
            allowed: format!("less than {} (budgets.origin_read)", duration_text(budgets.origin_read)),
            remedy: "leave margin out, or lower it".into(),
        };
        short.or_else(|| blind.map(|lock| never_looks(lock, budgets))).or_else(|| limits.next().map(margin))
    }
}

fn too_short(hold: Hold, read: Duration) -> Unfit {
    let (took, whole) = (duration_text(read), |d: Duration| Duration::from_secs(d.as_secs() + 1));
    match hold {
        Hold::Lock { life } => {
            let margin = duration_text(LEASE_MARGIN);
            Unfit {
                what: "a lock that ends before a read does",
                found: format!("lock(lease={})", duration_text(life)),
                allowed: format!("more than {margin} (a holder's margin) and {took} (a read)"),
                remedy: format!("leave lease out, or write lease={}", duration_text(whole(read + LEASE_MARGIN))),
            }
        }
        Hold::Lease { max_age, .. } => Unfit {
            what: "a lease whose holder gives up before a read ends",
            found: format!("lease(max_age={})", duration_text(max_age)),
            allowed: format!("more than {took} (a read)"),
            remedy: format!("leave max_age out, or write max_age={}", duration_text(whole(read))),
        },
    }
}

fn never_looks(lock: LockSettings, budgets: &Budgets) -> Unfit {
    let name = match lock.hold {
        Hold::Lock { .. } => "lock",
        Hold::Lease { .. } => "lease",
    };
    Unfit {
        what: "a lock whose losers are out of time before they look again",
        found: format!("{name}(wait={}, poll={})", duration_text(lock.wait), duration_text(lock.poll)),
        allowed: format!("one of them less than {} (budgets.replica)", duration_text(budgets.replica)),
        remedy: "leave poll out, or lower it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);
    /// Those of a read of 49 s.
    const LONG: Budgets = Budgets {
        replica: Duration::from_secs(197),
        origin_read: Duration::from_secs(123),
        lock_wait: Duration::from_secs(123),
    };

    fn spec(text: &str) -> Spec {
        Spec::parse(text).unwrap()
    }

    #[test]
    fn what_says_nothing_follows_the_budgets_and_what_was_said_stays() {
        for (text, usual, long) in [
            ("singleflight", 10 * S, 246 * S),
            ("singleflight(lease=20s)", 20 * S, 20 * S),
            ("stack", 30 * S, 738 * S),
            ("stack(max_age=40s)", 40 * S, 40 * S),
            ("plain + lock(lease=auto)", 10 * S, 246 * S),
        ] {
            let age = |budgets| spec(text).fitted(budgets).promise(S).lock_age.unwrap();
            assert_eq!((age(&Budgets::USUAL), age(&LONG)), (usual, long), "{text}");
            assert_eq!(spec(text).promise(S).lock_age, Some(usual), "{text}: the usual ones before it is fitted");
        }
    }

    #[test]
    fn what_comes_to_nothing_is_unfit() {
        let usual = Budgets::USUAL;
        for (text, read, found) in [
            ("naive", 4 * S, None),
            ("singleflight", 4 * S, None),
            ("singleflight(lease=2s)", 2 * S, Some("lock(lease=2s)")),
            ("singleflight(lease=2500ms)", 2 * S, Some("lock(lease=2500ms)")),
            ("singleflight(lease=2501ms)", 2 * S, None),
            ("stack(max_age=2s)", 2 * S, Some("lease(max_age=2s)")),
            ("stack(max_age=2001ms)", 2 * S, None),
            ("plain + bare + limit(margin=5s)", S, Some("limit(margin=5s)")),
            ("plain + bare + limit(margin=4s)", S, None),
            ("plain + lock(wait=8s, poll=8s)", S, Some("lock(wait=8s, poll=8s)")),
            ("plain + lease(wait=1h, poll=9s) + coalesce", S, Some("lease(wait=1h, poll=9s)")),
            ("plain + lock(wait=8s, poll=7999ms)", S, None),
            ("plain + lock(wait=7999ms, poll=8s)", S, None),
            ("plain + lock(wait=8s, wake=notify, fallback=8s)", S, None),
            ("broken-lock-no-reread", 49 * S, Some("lock(lease=10s)")),
        ] {
            let unfit = spec(text).fitted(&usual).unfit(read, &usual);
            assert_eq!(unfit.as_ref().map(|unfit| unfit.found.as_str()), found, "{text}");
        }
        assert_eq!(spec("broken-lock-no-reread").fitted(&LONG).unfit(49 * S, &LONG), None);
    }
}
