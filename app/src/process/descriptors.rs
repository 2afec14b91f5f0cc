//! File descriptors: every program of the lab takes as many as it may have. Linux' usual soft limit of 1024 is for programs
//! that call `select`; none of these does, and each connection has two ends in the local lab.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of this process to its hard one, and says what it is then; `None` where there is no limit. Where
/// the system refuses, the old limit stays, and is what is said.
pub fn raise() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}
