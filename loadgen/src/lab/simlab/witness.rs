//! The simulated clients' witness: hands what they see to the recorder, as the driver of the real labs does.

use evidence::ErrorKind;
use scenarios::Op;
use sim::{Reply, Request, Witness, item};
use strategies::counter::CountAnswer;
use strategies::port::{FlightId, Level};
use strategies::{Outcome, Served, Spec, Written};

use super::tapes::Tapes;
use crate::cli::settings::Settings;
use crate::load::measure::IncrementEnd;
use crate::load::record::{AcknowledgedWrite, Answer, IssuedRequest, Recorder, SentWrite};
use crate::shell::part::PartOf;

/// Records what the clients see.
pub(super) struct RecordingWitness {
    recorder: Option<Recorder>,
    hot_key: Option<u32>,
    /// Items 1 to so many exist; `None` where an answer may be a part of an item, which does not say whose it is.
    items: Option<u32>,
    /// Whether they are written, so that the versions of answers matter.
    writes: bool,
    tapes: Option<Tapes>,
    /// Whose requests are recorded, where others record the rest.
    part: Option<PartOf>,
}

impl Default for RecordingWitness {
    /// One that records nothing.
    fn default() -> Self {
        Self { recorder: None, hot_key: None, items: None, writes: false, tapes: None, part: None }
    }
}

impl RecordingWitness {
    pub(super) fn new(recorder: Recorder, settings: &Settings, spec: &Spec, tapes: Tapes) -> Self {
        let (scenario, part) = (&settings.scenario, settings.part);
        let (hot_key, writes) = (scenario.keys.hot_key(), scenario.writes.is_some());
        let items = Some(scenario.keys.existing()).filter(|_| spec.part().is_none_or(|part| part >= 1.0));
        Self { recorder: Some(recorder), hot_key, items, writes, tapes: Some(tapes), part }
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

    /// Whether a request is this part's: those of every `of`th client; of what is no client's, every `of`th of the plan.
    fn is_ours(&self, request: &Request) -> bool {
        self.part.is_none_or(|part| part.has(request.client.map_or(request.number, u64::from)))
    }

    fn asked(&self, request: &Request) -> IssuedRequest {
        let Request { intended_ns, key, op, client, .. } = *request;
        IssuedRequest { intended_ns, key, hot: self.hot_key == Some(key), op, client }
    }
}

impl Witness for RecordingWitness {
    fn offer(&mut self, request: &Request) {
        let (asked, ours) = (self.asked(request), self.is_ours(request));
        if let Some(recorder) = self.recorder.as_mut().filter(|_| ours) {
            recorder.offer(&asked);
        }
    }

    fn withdraw(&mut self, request: &Request) {
        let (asked, ours) = (self.asked(request), self.is_ours(request));
        if let Some(recorder) = self.recorder.as_mut().filter(|_| ours) {
            recorder.withdraw(&asked);
        }
    }

    fn answer(&mut self, request: &Request, done_ns: i64, reply: Reply<'_>) {
        let (asked, ours) = (self.asked(request), self.is_ours(request));
        let Some(recorder) = self.recorder.as_mut().filter(|_| ours) else { return };
        match request.op {
            Op::Get => {
                let answer = answer(request, done_ns, reply, self.items);
                let version = answer.version.filter(|_| self.writes);
                recorder.answer(&asked, Answer { version, ..answer });
            }
            Op::Count => {
                let (answer, end) = counted(request, done_ns, reply);
                recorder.counted(&asked, answer, end);
            }
            Op::Put => recorder.wrote(&asked, wrote(request, done_ns, reply)),
        }
    }

    fn led(&mut self, replica: u16, flight: FlightId) {
        if let Some(tapes) = &self.tapes {
            tapes.answered(replica, flight);
        }
    }
}

/// What the driver of a real lab would read out of the same answer.
fn answer(request: &Request, done_ns: i64, reply: Reply<'_>, items: Option<u32>) -> Answer {
    let sent_ns = request.intended_ns;
    let made = |outcome, error| Answer {
        sent_ns,
        done_ns,
        outcome: Some(outcome),
        near: false,
        connection: None,
        error,
        flight: None,
        version: None,
        overage_us: 0,
        moved_on: request.moved_on,
        resent: 0,
        attempts: request.attempts,
        unpaid: request.unpaid,
    };
    let failed = |kind| made(Outcome::Error, Some(kind));
    match reply {
        Reply::Answer(Ok(served), _) if !items.is_none_or(|items| is_right(served, request.key, items)) => {
            failed(ErrorKind::WrongBody)
        }
        Reply::Answer(Ok(served), connection) => Answer {
            flight: served.flight.map(|flight| flight.to_string()),
            version: served.value.as_ref().map(|_| served.version),
            overage_us: match served.outcome {
                Outcome::Stale => served.ttl_left_ns.min(0).unsigned_abs() / 1000,
                _ => 0,
            },
            near: served.level == Level::Near,
            connection,
            ..made(served.outcome, None)
        },
        Reply::Answer(Err(error), connection) => {
            let made = match evidence::failure(error) {
                (_, Outcome::Shed) => made(Outcome::Shed, None),
                (status, _) => failed(ErrorKind::Http(status)),
            };
            Answer { connection, ..made }
        }
        // No write and no increment is answered here.
        Reply::Wrote(_) | Reply::Counted(_) => failed(ErrorKind::Protocol),
        Reply::TimedOut => failed(ErrorKind::Timeout),
        Reply::Reset => failed(ErrorKind::Reset),
        Reply::Refused => failed(ErrorKind::ConnectRefused),
    }
}

/// The same of a write.
fn wrote(request: &Request, done_ns: i64, reply: Reply<'_>) -> SentWrite {
    let answer = match reply {
        Reply::Wrote(Ok(Written { version: Some(version), flight })) => {
            Ok(AcknowledgedWrite { version: *version, flight: Some(*flight) })
        }
        Reply::Wrote(Ok(Written { version: None, .. })) => Err(ErrorKind::Http(404)),
        Reply::Wrote(Err(error)) => Err(ErrorKind::Http(evidence::failure(error).0)),
        // No read and no increment is answered here.
        Reply::Answer(..) | Reply::Counted(_) => Err(ErrorKind::Protocol),
        Reply::TimedOut => Err(ErrorKind::Timeout),
        Reply::Reset => Err(ErrorKind::Reset),
        Reply::Refused => Err(ErrorKind::ConnectRefused),
    };
    SentWrite { sent_ns: request.intended_ns, done_ns, answer }
}

/// The same of an increment. Nothing says how a good answer was made.
fn counted(request: &Request, done_ns: i64, reply: Reply<'_>) -> (Answer, IncrementEnd) {
    let (error, end) = match reply {
        Reply::Counted(Ok(CountAnswer { value, told })) => {
            let (part, told) = told.map_or((0, 0), |told| (told.part, told.value));
            (None, IncrementEnd::Acknowledged { value: *value, part, told })
        }
        Reply::Counted(Err(error)) if error.is_unknown() => (Some(ErrorKind::Http(504)), IncrementEnd::Unknown),
        Reply::Counted(Err(_)) => (Some(ErrorKind::Http(503)), IncrementEnd::Refused),
        // Nothing else is answered here.
        Reply::Answer(..) | Reply::Wrote(_) => (Some(ErrorKind::Protocol), IncrementEnd::Unknown),
        Reply::TimedOut => (Some(ErrorKind::Timeout), IncrementEnd::Unknown),
        Reply::Reset => (Some(ErrorKind::Reset), IncrementEnd::Unknown),
        Reply::Refused => (Some(ErrorKind::ConnectRefused), IncrementEnd::Refused),
    };
    let answer = Answer {
        sent_ns: request.intended_ns,
        done_ns,
        outcome: error.map(|_| Outcome::Error),
        near: false,
        connection: None,
        error,
        flight: None,
        version: None,
        overage_us: 0,
        moved_on: request.moved_on,
        attempts: 1,
        unpaid: false,
        resent: 0,
    };
    (answer, end)
}

/// Whether an answer is the item that was asked for, in the version that it says; or says that there is none, and is right.
fn is_right(served: &Served, key: u32, items: u32) -> bool {
    match &served.value {
        Some(value) => value.starts_with(&item(key, served.version)),
        None => key > items,
    }
}
