//! Budgets that a scenario does not write follow from how long its origin takes; those that it writes must leave room for a
//! read, and for one another.
//!
//! From the outside in: the client's patience (`load.timeout`) is its own affair, for clients that give up early are a thing
//! to study; a replica's request must outlast both a read and a wait for a lock, and a read its service time. With an origin
//! that takes two seconds at most they are those that the lab has always had.

use std::time::Duration;

use strategies::Budgets;
use strategies::units::{DURATION, duration_text};

use crate::scenario::Scenario;
use crate::schema::walk::{Fields, Walk};
use crate::values::law::Law;

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Of the service time's 99th percentile: room for a read that is slower, or has to queue.
const READS: f64 = 2.5;
/// How long warming a cache may take at least, and at most.
const WARM: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// What reading an item may cost besides the origin's time: a debug build on a busy machine needs some milliseconds.
const WARM_ITEM: Duration = Duration::from_millis(10);
/// How long flights and requests may go on after the load, at least.
const QUIET: Duration = Duration::from_secs(30);

/// The budgets of an origin with this law.
#[must_use]
pub fn budgets_for(service: &Law) -> Budgets {
    let read = Duration::from_secs_f64((service.p99().as_secs_f64() * READS).ceil()).min(DAY);
    around(read.max(Budgets::USUAL.origin_read), None)
}

/// Room around a read: five eighths of a request's time are its read's, or its wait's for a lock.
fn around(origin_read: Duration, lock_wait: Option<Duration>) -> Budgets {
    let lock_wait = lock_wait.unwrap_or(origin_read.max(Budgets::USUAL.lock_wait));
    let inner = origin_read.max(lock_wait);
    Budgets { replica: (inner.saturating_mul(8) / 5).max(Budgets::USUAL.replica).min(DAY), origin_read, lock_wait }
}

/// A client's patience where nothing is said: a quarter more than its replica has.
pub(crate) fn patience(budgets: &Budgets) -> Duration {
    (budgets.replica.saturating_mul(5) / 4).min(DAY)
}

/// Reads `[budgets]`, which may be absent.
pub(crate) fn read(walk: &mut Walk<'_>, fields: Option<&Fields<'_>>, service: &Law) -> Option<Budgets> {
    let auto = budgets_for(service);
    let Some(fields) = fields else { return Some(auto) };
    let origin_read = walk.quantity(fields, "origin_read", &DURATION, MS..=DAY, Some(auto.origin_read))?;
    let waits = around(origin_read, None).lock_wait;
    let lock_wait = walk.quantity(fields, "lock_wait", &DURATION, Duration::ZERO..=DAY, Some(waits))?;
    let requests = around(origin_read, Some(lock_wait)).replica;
    let replica = walk.quantity(fields, "replica", &DURATION, MS..=DAY, Some(requests))?;
    let budgets = Budgets { replica, origin_read, lock_wait };
    refuse_short_read(walk, fields, &budgets, service)?;
    refuse_disorder(walk, fields, &budgets)?;
    Some(budgets)
}

/// A read that is given less than most take comes to nothing.
fn refuse_short_read(walk: &mut Walk<'_>, fields: &Fields<'_>, budgets: &Budgets, service: &Law) -> Option<()> {
    if service.p50() < budgets.origin_read {
        return Some(());
    }
    let [read, half] = [budgets.origin_read, service.p50()].map(duration_text);
    let place = fields.get("origin_read").map_or(&fields.place, |node| &node.place);
    let found = format!("found origin_read = {read}, allowed more than {half} (half of all reads take longer)");
    let fitting = duration_text(budgets_for(service).origin_read);
    walk.report(
        place,
        "no read would end in time",
        found,
        format!("write origin_read = \"{fitting}\", or leave it out"),
    );
    None
}

/// A request ends before what it waits for does.
fn refuse_disorder(walk: &mut Walk<'_>, fields: &Fields<'_>, budgets: &Budgets) -> Option<()> {
    let inner = [("origin_read", budgets.origin_read), ("lock_wait", budgets.lock_wait)];
    let Some((name, longest)) = inner.into_iter().find(|(_, inner)| *inner >= budgets.replica) else { return Some(()) };
    let [replica, inner] = [budgets.replica, longest].map(duration_text);
    let place = fields.get("replica").or(fields.get(name)).map_or(&fields.place, |node| &node.place);
    let found = format!("found replica = {replica}, allowed more than {name} = {inner}");
    walk.report(place, "budgets in the wrong order", found, format!("raise replica, or lower {name}"));
    None
}

impl Scenario {
    /// How long reading all items to warm the cache may take: twice what it should and 10 ms an item, a minute at least and an hour at most.
    #[must_use]
    pub fn warm_budget(&self) -> Duration {
        let reads = self.warm_takes(self.origin.service_time.p99()).saturating_mul(2);
        reads.saturating_add(WARM_ITEM.saturating_mul(self.keys.ranks())).clamp(WARM.0, WARM.1)
    }

    /// How long reading all items takes where each takes `read`.
    #[must_use]
    pub fn warm_takes(&self, read: Duration) -> Duration {
        read.saturating_mul(self.keys.ranks().div_ceil(self.origin.concurrency.max(1)))
    }

    /// How long flights and requests may go on after the load: what a lease may last, or a full origin takes to be empty.
    #[must_use]
    pub fn quiet_budget(&self) -> Duration {
        let origin = &self.origin;
        let rounds = origin.queue.div_ceil(origin.concurrency.max(1)).saturating_add(1);
        let drained = origin.service_time.mean().saturating_mul(rounds).saturating_mul(2);
        QUIET.max(self.budgets.lease_age()).max(drained).min(DAY)
    }

    /// What may be meant so, and surprises those who did not mean it: of times that do not fit each other.
    pub(crate) fn doubtful_times(&self) -> Vec<String> {
        let (service, read) = (&self.origin.service_time, self.budgets.origin_read);
        let (half, most, text) = (service.p50(), service.p99(), duration_text);
        let mut doubts = Vec::new();
        if most >= read {
            doubts.push(format!(
                "`budgets.origin_read` ({}) is not more than what one read in a hundred takes ({}): those end with 504",
                text(read),
                text(most)
            ));
        }
        if self.load.timeout <= half {
            doubts.push(format!(
                "`load.timeout` ({}) is not longer than a read takes ({}): its client has given up before it \
                 ends; raise it unless that is the point",
                text(self.load.timeout),
                text(half)
            ));
        }
        if !self.load.warmup.is_zero() && self.load.warmup <= half {
            doubts.push(format!(
                "`load.warmup` ({}) is not longer than a read takes ({}): the cache is empty at t = 0; raise it, or use \
                 [warm], unless that is the point",
                text(self.load.warmup),
                text(half)
            ));
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn they_are_the_usual_ones_up_to_two_seconds_and_then_grow_with_the_read() {
        let of = |seconds: f64| budgets_for(&Law::Constant(Duration::from_secs_f64(seconds)));
        for seconds in [0.0, 0.2, 1.0, 2.0] {
            assert_eq!(of(seconds), Budgets::USUAL, "{seconds} s");
            assert_eq!(patience(&of(seconds)), 10 * S);
        }
        let long = of(49.0);
        assert_eq!((long.origin_read, long.lock_wait), (123 * S, 123 * S));
        assert_eq!((long.replica, patience(&long)), (Duration::from_millis(196_800), 246 * S));
        let wide = budgets_for(&Law::Exponential { mean: 3600 * S });
        assert!(wide.origin_read < wide.replica && wide.replica < patience(&wide), "{wide:?}");
    }
}
