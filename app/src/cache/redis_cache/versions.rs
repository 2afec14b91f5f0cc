//! What a version of Redis does not know yet.

/// The first version of Redis that knows INCREX.
const INCREX_FROM: (u32, u32) = (8, 8);
/// The first versions that move slots all at once: of Redis `CLUSTER MIGRATION`, of Valkey `CLUSTER MIGRATESLOTS`.
const AT_ONCE_FROM: (u32, u32) = (8, 4);
const VALKEY_AT_ONCE_FROM: (u32, u32) = (9, 0);

/// Whether a server that calls itself so knows INCREX.
pub(super) fn knows_increx(server: &str) -> bool {
    is_from("redis ", server, INCREX_FROM)
}

/// Whether a server that calls itself so moves slots all at once.
pub(super) fn moves_at_once(server: &str) -> bool {
    is_from("redis ", server, AT_ONCE_FROM) || is_from("valkey ", server, VALKEY_AT_ONCE_FROM)
}

fn is_from(name: &str, server: &str, first: (u32, u32)) -> bool {
    let version = server.strip_prefix(name).unwrap_or_default().split(',').next().unwrap_or_default();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    matches!((numbers.next().flatten(), numbers.next().flatten()), (Some(a), Some(b)) if (a, b) >= first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_from_a_version_on() {
        for (server, increx, at_once) in [
            ("redis 7.0.15", false, false),
            ("redis 8.4.0", false, true),
            ("redis 8.6.9", false, true),
            ("redis 8.8.0", true, true),
            ("redis 8.10.1", true, true),
            ("redis 10.0.0", true, true),
            ("redis 8.8.0, a cluster of 3 primaries", true, true),
            ("valkey 8.1.1", false, false),
            ("valkey 9.1.2", false, true),
            ("redis of unknown version", false, false),
            ("memory", false, false),
        ] {
            assert_eq!((knows_increx(server), moves_at_once(server)), (increx, at_once), "{server}");
        }
    }
}
