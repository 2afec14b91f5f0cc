//! One run by several processes: each drives its part of the plan and writes down what it saw, and the parts are put together
//! afterwards, second by second, as the threads of one process are. So the merged run is the run that one process would have made.
//!
//! | idea | where |
//! |---|---|
//! | which part of which run a folder has: `part.json` | [`record`] |
//! | what a part has seen: the lines of `part.jsonl` | [`mod@line`] |
//! | drives a part, writes it down | [`run`] |
//! | which of the folders that are given are parts | `folders` |
//! | reads parts, refuses what is not of one run | [`read`] |
//! | one run of all of them | [`merge`] |

mod folders;
pub mod line;
pub mod merge;
pub mod read;
pub mod record;
pub mod run;
