//! Names that are made: the run's folder, and the moment it began.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc {
    seconds: u64,
}

impl Utc {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self { seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()) }
    }

    /// Year, month, day, hour, minute, second (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    fn fields(self) -> [u64; 6] {
        let (days, rest) = (self.seconds / 86_400 + 719_468, self.seconds % 86_400);
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        [year, month, day, rest / 3600, rest % 3600 / 60, rest % 60]
    }

    /// `20261120T235900Z`.
    #[must_use]
    pub fn compact(self) -> String {
        let [y, m, d, h, min, s] = self.fields();
        format!("{y:04}{m:02}{d:02}T{h:02}{min:02}{s:02}Z")
    }

    /// `2026-11-20T23:59:00Z` (RFC 3339).
    #[must_use]
    pub fn rfc3339(self) -> String {
        let [y, m, d, h, min, s] = self.fields();
        format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}Z")
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
            assert_eq!(Utc { seconds }.rfc3339(), expected);
        }
        assert_eq!(run_name(Utc { seconds: 1_795_219_140 }, "hotkey", 0xABC_3F9A), "20261120T235900Z-hotkey-3f9a");
    }
}
