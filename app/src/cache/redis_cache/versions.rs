//! What a version of Redis does not know yet.

/// The first version of Redis that knows INCREX.
const INCREX_FROM: (u32, u32) = (8, 8);

/// Whether a server that calls itself so knows INCREX.
pub(super) fn knows_increx(server: &str) -> bool {
    let version = server.strip_prefix("redis ").unwrap_or_default().split(',').next().unwrap_or_default();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    matches!((numbers.next().flatten(), numbers.next().flatten()), (Some(a), Some(b)) if (a, b) >= INCREX_FROM)
}

#[cfg(test)]
mod tests {
    use super::knows_increx;

    #[test]
    fn increx_is_known_from_8_8_on() {
        for (server, knows) in [
            ("redis 7.0.15", false),
            ("redis 8.6.9", false),
            ("redis 8.8.0", true),
            ("redis 8.10.1", true),
            ("redis 10.0.0", true),
            ("redis 8.8.0, a cluster of 3 primaries", true),
            ("redis of unknown version", false),
            ("memory", false),
        ] {
            assert_eq!(knows_increx(server), knows, "{server}");
        }
    }
}
