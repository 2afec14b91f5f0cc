//! The lab's own HTTP headers.

use std::time::Duration;

use strategies::ConnectionUse;
use strategies::time::nanos;

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
/// The header of an answer whose request took connections to the cache from a pool: see [`connection_text`].
pub const CONNECTION_HEADER: &str = "lab-connection";
/// The header of an answer whose body may be a part of the item only; [`VERSION_HEADER`] is beside it.
pub const PART_HEADER: &str = "lab-part";
/// The header of a stale answer: how far past its TTL it is, in microseconds. `Cache-Status` tells whole seconds only.
pub const OVERAGE_HEADER: &str = "lab-overage-us";

/// The flight and the replica that a read of the origin names; what is longer than any of ours is none.
#[cfg(feature = "programs")]
pub(crate) fn asker(headers: &axum::http::HeaderMap) -> (&str, Option<u32>) {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| v.len() <= 64);
    (text(FLIGHT_HEADER).unwrap_or_default(), text(REPLICA_HEADER).and_then(|v| v.parse().ok()))
}

/// How long a request waited for connections, nanoseconds; and how many it found in use, and how many operations waiting: `0;4;0`.
#[must_use]
pub fn connection_text(of: &ConnectionUse) -> String {
    format!("{};{};{}", nanos(of.wait), of.in_use, of.waiting)
}

/// The same read back; `None` where it is not that.
#[must_use]
pub fn read_connection(text: &str) -> Option<ConnectionUse> {
    let mut parts = text.split(';');
    let wait = Duration::from_nanos(parts.next()?.parse().ok()?);
    let (in_use, waiting) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(ConnectionUse { wait, in_use, waiting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_of_its_connections_is_read_back_and_nothing_else_is() {
        let of = ConnectionUse { wait: Duration::from_nanos(1_234_567_890), in_use: 10, waiting: 3 };
        assert_eq!(read_connection(&connection_text(&of)), Some(of));
        for text in ["", "1", "1;2", "1;2;3;4", "-1;2;3", "1;2;x", "1; 2;3", "18446744073709551616;0;0"] {
            assert_eq!(read_connection(text), None, "{text:?}");
        }
    }
}
