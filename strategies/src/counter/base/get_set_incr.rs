//! `get-set-incr`: GET; where nothing is there `SET key 1 PX T`, else INCR. As the article on sharded counters has it, and many a limiter.
//!
//! Between GET and INCR the key may expire: INCR then makes one that has no end, and whoever comes later finds it. And of two that found
//! nothing the later SET overwrites what the earlier counted.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, CounterCommand};

/// Its row.
pub(crate) const GET_SET_INCR: CounterInfo = CounterInfo {
    name: "get-set-incr",
    part: CounterPart::Base,
    summary: "GET, then SET 1 PX T or INCR: loses counts at each expiry, and leaves keys without an end",
    params: &[],
    make: |_| Ok(CounterTerm::Base(Arc::new(GetSetIncr))),
};

#[derive(Debug)]
struct GetSetIncr;

impl CounterBase for GetSetIncr {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        Box::pin(async move {
            let Increment { by, life, .. } = increment;
            let found = increment.ask(CounterCommand::Read).await?;
            let command = if found.is_some() { CounterCommand::Add(by) } else { CounterCommand::Set(by, life) };
            increment.count(command).await
        })
    }

    fn is_right(&self) -> bool {
        false
    }
}
