//! `increx`: Redis 8.8's INCREX with PX and ENX, one command that increments and gives the key an end where it has none.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, Capabilities, CounterCommand};

/// Its row.
pub(crate) const INCREX: CounterInfo = CounterInfo {
    name: "increx",
    part: CounterPart::Base,
    summary: "INCREX PX T ENX, one command of Redis 8.8: right, and repairs a key without an end",
    params: &[],
    make: |_| Ok(CounterTerm::Base(Arc::new(Increx))),
};

#[derive(Debug)]
struct Increx;

impl CounterBase for Increx {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        Box::pin(async move { increment.count(CounterCommand::Increx(increment.by, increment.life)).await })
    }

    fn needs(&self) -> Capabilities {
        Capabilities { increx: true, ..Capabilities::NONE }
    }

    fn is_right(&self) -> bool {
        true
    }
}
