//! Clients that try again: when an attempt has failed, or was shed, and the budget of all of them allows it.
//!
//! A request stays under way meanwhile. Its next attempt goes to the next replica, as a load balancer would send it. A write is
//! sent once: one whose answer was lost may have been committed.

use scenarios::{Op, RequestId};
use strategies::time::{Mono, nanos};

use super::under_way::RequestPlace;
use super::{Crowd, MOVES, Reply, Request, Witness};

impl<W: Witness + 'static> Crowd<W> {
    /// A first attempt is sent: it pays for retries to come.
    pub(super) fn pay(&self, place: &RequestPlace) {
        if self.retry.is_some() && place.op == Op::Get {
            self.budget.borrow_mut().first();
            self.tell_attempt(place);
        }
    }

    /// What failed is sent again later, where that is so; else whether only the budget was against it.
    pub(super) fn try_again(&self, place: &RequestPlace, done: u64, reply: Reply<'_>) -> Result<(), bool> {
        let Some(retry) = self.retry.filter(|retry| place.attempt < retry.attempts) else { return Err(false) };
        let asked = match reply {
            _ if place.op != Op::Get => return Err(false),
            Reply::Answer(Ok(_), _) | Reply::Wrote(_) | Reply::Counted(_) => return Err(false),
            Reply::Answer(Err(error), _) => error.retry_after(),
            Reply::TimedOut | Reply::Reset | Reply::Refused => None,
        };
        if self.stopped.get() {
            return Err(false);
        }
        if !self.budget.borrow_mut().allows() {
            return Err(true);
        }
        let request = RequestId { at_ns: self.since_t0(place.intended), key: place.key };
        let wait = retry.wait(self.seed, request, place.attempt, asked);
        let replicas = self.fleet.replicas().len() as u16;
        let next = RequestPlace {
            sent: done.max(self.fleet.world.now().0).saturating_add(nanos(wait)),
            attempt: place.attempt + 1,
            replica: (place.replica + 1) % replicas,
            moved: 0,
            task: None,
            ..*place
        };
        let number = self.under_way.borrow_mut().add(next);
        self.tell_attempt(&next);
        let arrives = next.sent.saturating_add(self.fleet.latencies.client.draw(&self.draws));
        self.fleet.world.call_at(Mono(arrives), MOVES + number);
        Ok(())
    }

    fn tell_attempt(&self, place: &RequestPlace) {
        let request = Request { attempts: place.attempt, ..self.request(place) };
        self.witness.borrow_mut().attempt(&request, self.since_t0(place.sent));
    }
}
