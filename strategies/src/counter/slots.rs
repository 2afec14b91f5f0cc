//! A cluster's hash slots: CRC-16 of the key's tag modulo 16384, as the cluster specification has it.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>, "Key distribution model" and appendix A (XMODEM).

/// How many slots a cluster has.
pub const SLOTS: u16 = 16_384;

/// The slot of a key that is its own tag.
#[must_use]
pub fn slot_of(tag: &str) -> u16 {
    crc16(tag.as_bytes()) % SLOTS
}

/// The slot of a key as a server sees it: of what stands between the first `{` and the next `}`, where anything does, else of all of it.
#[must_use]
pub fn slot_of_key(key: &[u8]) -> u16 {
    let begin = key.iter().position(|byte| *byte == b'{').map(|at| at + 1);
    let tag = begin.and_then(|begin| {
        let length = key[begin..].iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &key[begin..begin + length])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM: polynomial 0x1021, begun at 0, nothing reflected.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // Its appendix A, and `CLUSTER KEYSLOT` of a Redis 7.0.15.
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(["somekey", "foo", "hello"].map(slot_of), [11_058, 12_182, 866]);
        // Ibid., "Hash tags".
        for (key, tag) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
        ] {
            assert_eq!(slot_of_key(key.as_bytes()), slot_of(tag), "{key}");
        }
    }
}
