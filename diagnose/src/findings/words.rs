//! Figures in words.

/// `1.5 MB`: powers of 1000, as people say them.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" || value >= 99.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// `97 %` of a share from 0 to 1; `0.3 %` where it is small.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// `45 s`, `7 min`, `3 h`, `12 days`.
#[must_use]
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A part of a whole; 0 of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let said = [0, 999, 1500, 999_999, 104_857_600, u64::MAX].map(bytes);
        assert_eq!(said, ["0 B", "999 B", "1.5 kB", "1.0 MB", "105 MB", "18446744 TB"]);
        assert_eq!([0.0, 0.003, 0.0996, 0.5, 1.0].map(percent), ["0 %", "0.3 %", "10 %", "50 %", "100 %"]);
        assert_eq!([5, 119, 120, 7200, 172_800].map(seconds), ["5 s", "119 s", "2 min", "2 h", "2 days"]);
        assert_eq!((share(1, 4), share(1, 0)), (0.25, 0.0));
    }
}
