//! The simulated clients' witness: hands what they see to the recorder, as the driver of the real labs does.

use evidence::ErrorKind;
use scenarios::Keys;
use sim::{Reply, Request, Witness, item};
use strategies::port::FlightId;
use strategies::{Outcome, Served};

use super::tapes::Tapes;
use crate::load::record::{Answer, IssuedRequest, Recorder};

/// Records what the clients see.
pub(super) struct RecordingWitness {
    recorder: Option<Recorder>,
    hot_key: Option<u32>,
    /// Items 1 to so many exist.
    items: u32,
    tapes: Option<Tapes>,
}

impl Default for RecordingWitness {
    /// One that records nothing.
    fn default() -> Self {
        Self { recorder: None, hot_key: None, items: 0, tapes: None }
    }
}

impl RecordingWitness {
    pub(super) fn new(recorder: Recorder, keys: &Keys, tapes: Tapes) -> Self {
        Self { recorder: Some(recorder), hot_key: keys.hot_key(), items: keys.n, tapes: Some(tapes) }
    }

    /// Hands over the seconds that are over.
    pub(super) fn roll(&mut self, now_ns: i64) {
        if let Some(recorder) = &mut self.recorder {
            recorder.roll(now_ns);
        }
    }

    /// Hands over everything up to and with the second `last`.
    pub(super) fn finish(self, last: i64) {
        if let Some(recorder) = self.recorder {
            recorder.finish(last);
        }
    }

    fn asked(&self, request: &Request) -> IssuedRequest {
        IssuedRequest { intended_ns: request.intended_ns, key: request.key, hot: self.hot_key == Some(request.key) }
    }
}

impl Witness for RecordingWitness {
    fn offer(&mut self, request: &Request) {
        let asked = self.asked(request);
        if let Some(recorder) = &mut self.recorder {
            recorder.offer(&asked);
        }
    }

    fn withdraw(&mut self, request: &Request) {
        let asked = self.asked(request);
        if let Some(recorder) = &mut self.recorder {
            recorder.withdraw(&asked);
        }
    }

    fn answer(&mut self, request: &Request, done_ns: i64, reply: Reply<'_>) {
        let asked = self.asked(request);
        let answer = answer(request, done_ns, reply, self.items);
        if let Some(recorder) = &mut self.recorder {
            recorder.answer(&asked, answer);
        }
    }

    fn led(&mut self, replica: u16, flight: FlightId) {
        if let Some(tapes) = &self.tapes {
            tapes.answered(replica, flight);
        }
    }
}

/// What the driver of a real lab would read out of the same answer.
fn answer(request: &Request, done_ns: i64, reply: Reply<'_>, items: u32) -> Answer {
    let sent_ns = request.intended_ns;
    let made = |outcome, error| Answer {
        sent_ns,
        done_ns,
        outcome: Some(outcome),
        error,
        flight: None,
        overage_us: 0,
        moved_on: request.moved_on,
        resent: 0,
        attempts: request.attempts,
        unpaid: request.unpaid,
    };
    let failed = |kind| made(Outcome::Error, Some(kind));
    match reply {
        Reply::Answer(Ok(served)) if !is_right(served, request.key, items) => failed(ErrorKind::WrongBody),
        Reply::Answer(Ok(served)) => Answer {
            flight: served.flight.map(|flight| flight.to_string()),
            overage_us: match served.outcome {
                Outcome::Stale => served.ttl_left_ns.min(0).unsigned_abs() / 1000,
                _ => 0,
            },
            ..made(served.outcome, None)
        },
        Reply::Answer(Err(error)) => match evidence::failure(error) {
            (_, Outcome::Shed) => made(Outcome::Shed, None),
            (status, _) => failed(ErrorKind::Http(status)),
        },
        Reply::TimedOut => failed(ErrorKind::Timeout),
        Reply::Reset => failed(ErrorKind::Reset),
        Reply::Refused => failed(ErrorKind::ConnectRefused),
    }
}

/// Whether an answer is the item that was asked for, in the version that it says; or says that there is none, and is right.
fn is_right(served: &Served, key: u32, items: u32) -> bool {
    match &served.value {
        Some(value) => **value == item(key, served.version),
        None => key > items,
    }
}
