//! A worker's end of the recorder.

use std::collections::VecDeque;

use super::collector::{Collector, Tell};
use crate::load::measure::IncrementEnd;

use super::second::{Answer, IssuedRequest, Second};
use super::versions::SentWrite;

/// Writes down one worker's requests. Seconds stay open until all their requests are answered, so their number is
/// bounded by the requests' time-out.
pub struct Recorder {
    /// Consecutive seconds, the oldest first.
    open: VecDeque<Second>,
    /// The next second that was never opened.
    next: i64,
    finished: Tell,
    /// Whether the slowest requests are kept one by one.
    slowest: bool,
}

impl Collector {
    /// A worker's recorder, from second `first` on.
    #[must_use]
    pub fn recorder(&self, first: i64) -> Recorder {
        Recorder::new(first, self.tell.clone())
    }
}

impl Recorder {
    /// A recorder whose first second is `first` (negative with a warm-up).
    fn new(first: i64, finished: Tell) -> Self {
        Self { open: VecDeque::new(), next: first, finished, slowest: false }
    }

    /// The same, keeping the slowest requests one by one where `wanted`.
    #[must_use]
    pub fn keeping_slowest(self, wanted: bool) -> Self {
        Self { slowest: wanted, ..self }
    }

    /// A request is decided on. Its second stays open until it is answered or withdrawn.
    pub fn offer(&mut self, asked: &IssuedRequest) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.offer(asked);
        }
    }

    /// A request that was decided on is not sent after all.
    pub fn withdraw(&mut self, asked: &IssuedRequest) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.withdraw(asked);
        }
    }

    /// A request that was planned could not be sent: it stays planned, and counts as unsent.
    pub fn unsent(&mut self, asked: &IssuedRequest) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.unsent(asked);
        }
    }

    /// A request has its answer, or has failed.
    pub fn answer(&mut self, asked: &IssuedRequest, answer: Answer) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.answer(asked, answer);
        }
    }

    /// An increment has its answer, or has failed.
    pub fn counted(&mut self, asked: &IssuedRequest, answer: Answer, end: IncrementEnd) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.counted(asked, answer, end);
        }
    }

    /// A write has its answer, or has failed.
    pub fn wrote(&mut self, asked: &IssuedRequest, write: SentWrite) {
        if let Some(second) = self.second(asked.intended_ns) {
            second.wrote(asked, write);
        }
    }

    /// Hands over what is over at `now_ns`. To be called a few times a second.
    pub fn roll(&mut self, now_ns: i64) {
        self.open_up_to(Second::of(now_ns));
        while let Some(oldest) = self.open.front()
            && oldest.open == 0
            && oldest.number < Second::of(now_ns)
        {
            self.hand_over();
        }
    }

    /// Hands over everything up to and with the last second of the measured phase. To be called when every request is
    /// answered.
    pub fn finish(mut self, last: i64) {
        self.open_up_to(last);
        while !self.open.is_empty() {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        if let Some(mut second) = self.open.pop_front() {
            second.settle();
            self.finished.second(second);
        }
    }

    fn open_up_to(&mut self, number: i64) {
        while self.next <= number {
            self.open.push_back(Second::new(self.next).keeping_slowest(self.slowest));
            self.next += 1;
        }
    }

    /// The second of a moment; `None` where it was handed over, which `offer` keeps from happening.
    fn second(&mut self, at_ns: i64) -> Option<&mut Second> {
        let number = Second::of(at_ns);
        self.open_up_to(number);
        let oldest = self.open.front()?.number;
        self.open.get_mut(usize::try_from(number - oldest).ok()?)
    }
}
