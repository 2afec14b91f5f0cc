//! `set-nx-incr`: `SET key 0 PX T NX`, then INCR. It overwrites nothing; but a key may expire between its two commands as between GET
//! and INCR, and INCR then makes one that has no end.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, CounterCommand};

/// Its row.
pub(crate) const SET_NX_INCR: CounterInfo = CounterInfo {
    name: "set-nx-incr",
    part: CounterPart::Base,
    summary: "SET 0 PX T NX, then INCR: loses nothing, but leaves keys without an end",
    params: &[],
    make: |_| Ok(CounterTerm::Base(Arc::new(SetNxIncr))),
};

#[derive(Debug)]
struct SetNxIncr;

impl CounterBase for SetNxIncr {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        Box::pin(async move {
            increment.ask(CounterCommand::SetNew(0, increment.life)).await?;
            increment.count(CounterCommand::Add(increment.by)).await
        })
    }

    fn is_right(&self) -> bool {
        false
    }
}
