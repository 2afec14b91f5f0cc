//! An answer's body on its way through: passed on as it comes, and its end is the read's.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use evidence::ReadEnd;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::book::CountedRead;

/// A body of the upstream's.
pub(super) struct CountedBody {
    body: Incoming,
    read: Option<CountedRead>,
    /// How the read ends if the body does.
    outcome: ReadEnd,
    /// How long the next piece may take.
    patience: Duration,
    over: Pin<Box<Sleep>>,
}

impl CountedBody {
    pub(super) fn new(body: Incoming, read: Option<CountedRead>, outcome: ReadEnd, patience: Duration) -> Self {
        let mut counted = Self { body, read, outcome, patience, over: Box::pin(sleep(patience)) };
        // A body without a byte is never asked for.
        counted.end_if_over();
        counted
    }

    fn end_if_over(&mut self) {
        if self.body.is_end_stream() {
            self.end(self.outcome);
        }
    }

    fn end(&mut self, outcome: ReadEnd) {
        if let Some(mut read) = self.read.take() {
            read.end(outcome);
        }
    }
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let next = Instant::now() + self.patience;
                self.over.as_mut().reset(next);
                self.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.end(ReadEnd::Failed);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                let outcome = self.outcome;
                self.end(outcome);
                Poll::Ready(None)
            }
            Poll::Pending => {
                if self.over.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.end(ReadEnd::Failed);
                Poll::Ready(Some(Err("the upstream's answer stopped on its way".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
