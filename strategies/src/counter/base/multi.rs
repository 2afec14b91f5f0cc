//! `multi`: MULTI, `SET key 0 PX T NX`, INCRBY, EXEC, sent together. Nothing comes between, so no key of it is without an end.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, CounterCommand};

/// Its row.
pub(crate) const MULTI: CounterInfo = CounterInfo {
    name: "multi",
    part: CounterPart::Base,
    summary: "MULTI, SET 0 PX T NX, INCRBY, EXEC in one round trip: right",
    params: &[],
    make: |_| Ok(CounterTerm::Base(Arc::new(Multi))),
};

#[derive(Debug)]
struct Multi;

impl CounterBase for Multi {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        Box::pin(async move { increment.count(CounterCommand::Transaction(increment.by, increment.life)).await })
    }

    fn is_right(&self) -> bool {
        true
    }
}
