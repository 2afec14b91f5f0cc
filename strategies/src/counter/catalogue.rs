//! Every counter strategy there is, and what may stand around one.

use super::base::{GET_SET_INCR, INCR_EXPIRE, INCREX, LUA, MULTI, SET_NX_INCR};
use super::batched::BATCHED;
use super::layer::CounterInfo;
use super::lives::COUNTER_JITTER;
use super::sharded::SHARDED;

/// Every row, in the order in which compositions are said. Of what stands around a base the later stand outside.
pub const COUNTERS: &[CounterInfo] =
    &[GET_SET_INCR, SET_NX_INCR, INCR_EXPIRE, MULTI, LUA, INCREX, COUNTER_JITTER, SHARDED, BATCHED];
