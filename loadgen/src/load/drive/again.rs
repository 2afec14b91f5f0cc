//! A request and its attempts: whether a client tries again, when, and what is recorded of it all.
//!
//! The next attempt goes to the next replica, as a load balancer would send it. What is recorded is the last attempt, from
//! the moment at which the first one was sent.

use std::time::Duration;

use evidence::ErrorKind;
use scenarios::RequestId;
use strategies::Outcome;
use strategies::port::Clock;

use super::worker::WorkerContext;
use crate::load::record::{Answer, IssuedRequest};

/// A request that is under way.
pub(super) struct OpenRequest<'a> {
    context: &'a WorkerContext,
    asked: IssuedRequest,
    attempts: u32,
    /// When its first attempt was sent, once one was.
    sent_ns: Option<i64>,
    unpaid: bool,
    /// How often any of its attempts was sent again on a fresh connection.
    resent: u32,
}

impl<'a> OpenRequest<'a> {
    /// Its first attempt is about to be sent.
    pub(super) fn first(context: &'a WorkerContext, asked: IssuedRequest) -> Self {
        if context.drive.retrying.retry.is_some() {
            context.drive.retrying.budget().first();
        }
        Self { context, asked, attempts: 1, sent_ns: None, unpaid: false, resent: 0 }
    }

    /// Where an attempt's answer is one to try again after, waits for the next attempt's moment and says true.
    pub(super) async fn again(&mut self, answer: &Answer, retry_after: Option<Duration>) -> bool {
        self.sent_ns.get_or_insert(answer.sent_ns);
        self.resent += answer.resent;
        let drive = &self.context.drive;
        let retrying = &drive.retrying;
        let Some(retry) = retrying.retry.filter(|retry| self.attempts < retry.attempts) else { return false };
        if !is_worth_a_retry(answer) || drive.stop.is_said() {
            return false;
        }
        if !retrying.budget().allows() {
            self.unpaid = true;
            return false;
        }
        let request = RequestId { at_ns: self.asked.intended_ns, key: self.asked.key };
        let wait = retry.wait(retrying.seed, request, self.attempts, retry_after);
        let mut stop = drive.stop.clone();
        tokio::select! {
            biased;
            () = stop.wait() => return false,
            () = drive.pace.until(drive.clock.mono().plus(wait)) => {}
        }
        self.attempts += 1;
        true
    }

    /// The next attempt could not be sent after all.
    pub(super) fn was_not_sent(&mut self) {
        self.attempts -= 1;
    }

    /// What is recorded, with the last attempt's answer.
    pub(super) fn outcome(&self, last: Answer) -> Answer {
        Answer {
            sent_ns: self.sent_ns.unwrap_or(last.sent_ns),
            attempts: self.attempts,
            unpaid: self.unpaid,
            resent: self.resent,
            ..last
        }
    }
}

/// Whether another attempt may do better: after a refusal, or a failure that may pass.
fn is_worth_a_retry(answer: &Answer) -> bool {
    answer.outcome == Some(Outcome::Shed) || answer.error.is_some_and(ErrorKind::may_pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_go_better_is_tried_again() {
        let answer = |outcome, error: Option<ErrorKind>| Answer {
            sent_ns: 0,
            done_ns: 1,
            outcome,
            near: false,
            connection: None,
            error,
            flight: None,
            version: None,
            overage_us: 0,
            moved_on: false,
            attempts: 1,
            unpaid: false,
            resent: 0,
        };
        use ErrorKind as Kind;
        let refused = Kind::ConnectRefused;
        for kind in [Kind::Timeout, Kind::Reset, Kind::Http(502), Kind::Http(504), refused, Kind::BodyCut] {
            assert!(is_worth_a_retry(&answer(Some(Outcome::Error), Some(kind))), "{kind}");
        }
        assert!(is_worth_a_retry(&answer(Some(Outcome::Shed), None)));
        for kind in [Kind::WrongBody, Kind::Http(404), Kind::NoCacheStatus, Kind::NoPorts] {
            assert!(!is_worth_a_retry(&answer(Some(Outcome::Error), Some(kind))), "{kind}");
        }
        assert!(!is_worth_a_retry(&answer(Some(Outcome::Hit), None)));
    }
}
