//! `incr-expire`: INCR, and where its reply says that this was the first, PEXPIRE as a second command. Whoever dies between the two, or
//! loses the reply to the first, leaves a key that has no end.
//!
//! An increment whose INCR was answered is acknowledged, whatever becomes of its PEXPIRE: it is counted. The failure is an event.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, CounterCommand};

/// Its row.
pub(crate) const INCR_EXPIRE: CounterInfo = CounterInfo {
    name: "incr-expire",
    part: CounterPart::Base,
    summary: "INCR, and PEXPIRE after the first: a crash between the two leaves a key without an end",
    params: &[],
    make: |_| Ok(CounterTerm::Base(Arc::new(IncrExpire))),
};

#[derive(Debug)]
struct IncrExpire;

impl CounterBase for IncrExpire {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        Box::pin(async move {
            let value = increment.count(CounterCommand::Add(increment.by)).await?;
            if value == increment.by {
                // Counted it is, whatever comes of this.
                let _ = increment.ask(CounterCommand::Expire(increment.life)).await;
            }
            Ok(value)
        })
    }

    fn is_right(&self) -> bool {
        false
    }
}
