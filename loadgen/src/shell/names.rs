//! Names that are made: the run's folder, and the moment it began.

use jiff::Timestamp;

/// A moment in UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(Timestamp);

impl Utc {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Timestamp::now())
    }

    /// `20261120T235900Z`.
    #[must_use]
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// `2026-11-20T23:59:00Z` (RFC 3339).
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// `20261120T235900Z-hotkey-3f9a`.
#[must_use]
pub fn run_name(began: Utc, scenario: &str, entropy: u64) -> String {
    format!("{}-{scenario}-{:04x}", began.compact(), entropy & 0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_people_write_them() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_219_140, "2026-11-20T23:59:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(Utc(Timestamp::from_second(seconds).unwrap()).rfc3339(), expected);
        }
        assert_eq!(
            run_name(Utc(Timestamp::from_second(1_795_219_140).unwrap()), "hotkey", 0xABC_3F9A),
            "20261120T235900Z-hotkey-3f9a"
        );
    }
}
