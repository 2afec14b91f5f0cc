//! How many reads find something.

use super::words::share;
use crate::look::server::ServerLook;

/// Fewer reads say nothing.
const READS_MIN: u64 = 1000;

/// Hits among reads since start, from 0 to 1; `None` where there were few, or the server does not say.
pub(super) fn hit_ratio(look: &ServerLook) -> Option<f64> {
    let (hits, misses) = (look.info.whole("keyspace_hits")?, look.info.whole("keyspace_misses")?);
    let reads = hits.saturating_add(misses);
    (reads >= READS_MIN).then(|| share(hits, reads))
}
