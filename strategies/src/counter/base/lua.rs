//! `lua`: INCRBY and, for the first of a window, PEXPIRE in one script. With `repair=true` it also gives an end to a key that it finds
//! without one, left behind by an older version of the program.

use std::sync::Arc;

use crate::counter::layer::{CountError, CounterBase, CounterInfo, CounterPart, CounterTerm, Increment};
use crate::port::{BoxFuture, CounterCommand};
use crate::spec::{ParamInfo, Range};

/// Its row.
pub(crate) const LUA: CounterInfo = CounterInfo {
    name: "lua",
    part: CounterPart::Base,
    summary: "increment and life in one script: right",
    params: &[ParamInfo {
        name: "repair",
        default: "false",
        what: "true (a key without an end gets one, too) or false",
        range: Range::Word(&["false", "true"]),
    }],
    make: |args| Ok(CounterTerm::Base(Arc::new(Lua { repair: args.word("repair", &[false, true])? }))),
};

#[derive(Debug)]
struct Lua {
    repair: bool,
}

impl CounterBase for Lua {
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>> {
        let Increment { by, life, .. } = increment;
        Box::pin(async move { increment.count(CounterCommand::Script { by, life, repair: self.repair }).await })
    }

    fn is_right(&self) -> bool {
        true
    }
}
