//! The lab's own HTTP headers.

/// The header that names the flight a read belongs to.
pub const FLIGHT_HEADER: &str = "lab-flight";
/// The header that names the asking replica.
pub const REPLICA_HEADER: &str = "lab-replica";
/// The header of an increment's answer: the counter's value after it, and where the server was asked the sub-key and its value.
pub const COUNT_HEADER: &str = "lab-count";
/// The header that tells an item's version.
pub const VERSION_HEADER: &str = "lab-version";
/// The header of an answer whose own flight read the origin: the flight's name, which the origin's ledger has, too.
pub const LED_HEADER: &str = "lab-flight";
/// The header of a stale answer: how far past its TTL it is, in microseconds. `Cache-Status` tells whole seconds only.
pub const OVERAGE_HEADER: &str = "lab-overage-us";
