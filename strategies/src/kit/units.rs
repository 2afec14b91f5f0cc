//! Quantities with a written unit: durations, rates, sizes.
//!
//! Reading is exact integer arithmetic, so that what is written is what is used and what is echoed reads back the same.
//! A bare number is never given a unit by guess.

use std::time::Duration;

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitFault {
    /// A number alone.
    NoUnit,
    /// A unit that there is not.
    UnknownUnit,
    /// No number in front of the unit.
    NoNumber,
    /// Below zero.
    Negative,
    /// NaN or infinite.
    NotFinite,
    /// Finer than a nanosecond, or than a byte.
    TooFine,
    /// More than 64 bits (a size: 32) hold.
    TooLarge,
}

/// One kind of quantity: how it is read, written, and explained.
pub struct Unit<T> {
    /// Text to quantity.
    pub read: fn(&str) -> Result<T, UnitFault>,
    /// Quantity to text that reads back the same.
    pub show: fn(T) -> String,
    /// What is allowed, in words.
    pub words: &'static str,
    /// A complete example.
    pub example: &'static str,
    /// The unit proposed where none was written.
    pub suffix: &'static str,
}

/// Durations.
pub const DURATION: Unit<Duration> = Unit {
    read: read_duration,
    show: duration_text,
    words: "a duration in ns, us, ms, s, m or h",
    example: "5s",
    suffix: "s",
};

/// Rates, per second.
pub const RATE: Unit<f64> =
    Unit { read: read_rate, show: rate_text, words: "a rate in /s, /m or /h", example: "400/s", suffix: "/s" };

/// Sizes in bytes.
pub const SIZE: Unit<u32> =
    Unit { read: read_size, show: size_text, words: "a size in B, KiB or MiB", example: "256B", suffix: "B" };

/// Bytes a second.
pub const BANDWIDTH: Unit<u32> = Unit {
    read: read_bandwidth,
    show: bandwidth_text,
    words: "bytes a second in B/s, KiB/s or MiB/s",
    example: "119MiB/s",
    suffix: "MiB/s",
};

const NS_PER_S: u128 = 1_000_000_000;

const DURATIONS: [(&str, u128); 7] = [
    ("h", 3600 * NS_PER_S),
    ("m", 60 * NS_PER_S),
    ("s", NS_PER_S),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

const RATES: [(&str, f64); 3] = [("/s", 1.0), ("/m", 60.0), ("/h", 3600.0)];

const SIZES: [(&str, u128); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A duration in scenario syntax, exact: `120ms`, `60s`, `5m`. One minute stays `60s`, as people write it.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let whole = DURATIONS
        .iter()
        .filter(|(word, _)| *word != "µs")
        .find(|(word, unit)| ns.is_multiple_of(*unit) && ns > 0 && !(*word == "m" && ns == *unit));
    whole.map_or_else(|| "0s".to_owned(), |(word, unit)| format!("{}{word}", ns / unit))
}

/// A rate in scenario syntax: `400/s`.
#[must_use]
pub fn rate_text(per_s: f64) -> String {
    format!("{per_s}/s")
}

/// A size in bytes in scenario syntax, exact: `256B`, `40KiB`, `1MiB`.
#[must_use]
pub fn size_text(bytes: u32) -> String {
    let bytes = u128::from(bytes);
    let whole = SIZES.iter().find(|(_, unit)| bytes.is_multiple_of(*unit) && bytes > 0);
    whole.map_or_else(|| "0B".to_owned(), |(word, unit)| format!("{}{word}", bytes / unit))
}

fn read_duration(text: &str) -> Result<Duration, UnitFault> {
    let (number, unit) = split(text)?;
    scaled(number, lookup(&DURATIONS, unit)?).map(Duration::from_nanos)
}

fn read_size(text: &str) -> Result<u32, UnitFault> {
    let (number, unit) = split(text)?;
    let bytes = scaled(number, lookup(&SIZES, unit)?)?;
    u32::try_from(bytes).map_err(|_| UnitFault::TooLarge)
}

/// Bytes a second in scenario syntax: `119MiB/s`.
#[must_use]
pub fn bandwidth_text(per_s: u32) -> String {
    format!("{}/s", size_text(per_s))
}

fn read_bandwidth(text: &str) -> Result<u32, UnitFault> {
    match text.trim_end().strip_suffix("/s") {
        Some(size) => read_size(size),
        None => Err(split(text).err().unwrap_or(UnitFault::UnknownUnit)),
    }
}

fn read_rate(text: &str) -> Result<f64, UnitFault> {
    let (number, unit) = split(text)?;
    let per = lookup(&RATES, unit)?;
    let rate = number.parse::<f64>().map_err(|_| UnitFault::NoNumber)? / per;
    if rate.is_finite() { Ok(rate) } else { Err(UnitFault::TooLarge) }
}

fn lookup<T: Copy>(units: &[(&str, T)], word: &str) -> Result<T, UnitFault> {
    let known = units.iter().find(|(name, _)| *name == word);
    known.map(|(_, unit)| *unit).ok_or(UnitFault::UnknownUnit)
}

/// `"1.5 s"` → `("1.5", "s")`: a plain decimal number, then a unit.
fn split(text: &str) -> Result<(&str, &str), UnitFault> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return Err(split(rest).err().filter(|f| *f == UnitFault::NoNumber).unwrap_or(UnitFault::Negative));
    }
    let bare = text.trim_start_matches('+').to_ascii_lowercase();
    if bare.starts_with("nan") || bare.starts_with("inf") {
        return Err(UnitFault::NotFinite);
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.contains('.') {
        return Err(UnitFault::NoNumber);
    }
    match unit.trim() {
        "" => Err(UnitFault::NoUnit),
        unit => Ok((number, unit)),
    }
}

/// `number` × `unit`, exactly.
fn scaled(number: &str, unit: u128) -> Result<u64, UnitFault> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let decimals = decimals.trim_end_matches('0');
    let places = u32::try_from(decimals.len()).map_err(|_| UnitFault::TooFine)?;
    let one = 10_u128.checked_pow(places).ok_or(UnitFault::TooFine)?;
    let digits: u128 = format!("{whole}{decimals}").parse().map_err(|_| UnitFault::TooLarge)?;
    let product = digits.checked_mul(unit).ok_or(UnitFault::TooLarge)?;
    if product % one != 0 {
        return Err(UnitFault::TooFine);
    }
    u64::try_from(product / one).map_err(|_| UnitFault::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_exactly_and_write_themselves() {
        for (text, ns, written) in [
            ("0s", 0, "0s"),
            ("5s", 5_000_000_000, "5s"),
            ("60s", 60_000_000_000, "60s"),
            ("1m", 60_000_000_000, "60s"),
            ("300s", 300_000_000_000, "5m"),
            ("1.5ms", 1_500_000, "1500us"),
            ("7us", 7_000, "7us"),
            ("7µs", 7_000, "7us"),
            ("24h", 86_400_000_000_000, "24h"),
            (" 3 ns ", 3, "3ns"),
            ("0.10s", 100_000_000, "100ms"),
        ] {
            let read = read_duration(text).unwrap();
            assert_eq!(read, Duration::from_nanos(ns), "{text}");
            assert_eq!(duration_text(read), written);
            assert_eq!(read_duration(written), Ok(read));
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        for (text, fault) in [
            ("5", UnitFault::NoUnit),
            ("-5s", UnitFault::Negative),
            ("-5", UnitFault::Negative),
            ("nan", UnitFault::NotFinite),
            ("-inf", UnitFault::Negative),
            ("infs", UnitFault::NotFinite),
            ("5 parsecs", UnitFault::UnknownUnit),
            ("1m30s", UnitFault::UnknownUnit),
            ("s", UnitFault::NoNumber),
            ("", UnitFault::NoNumber),
            ("-", UnitFault::NoNumber),
            ("1.2.3s", UnitFault::NoNumber),
            (".5s", UnitFault::NoNumber),
            ("0.5ns", UnitFault::TooFine),
            ("99999999999999999999s", UnitFault::TooLarge),
            ("999999999999999999999999999999999999999999s", UnitFault::TooLarge),
        ] {
            assert_eq!(read_duration(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn rates_and_sizes_read_and_write_themselves() {
        assert_eq!(read_rate("400/s"), Ok(400.0));
        assert_eq!(read_rate("24000/m"), Ok(400.0));
        assert_eq!(rate_text(400.0), "400/s");
        assert_eq!(read_rate(&"9".repeat(400)), Err(UnitFault::NoUnit));
        assert_eq!(read_rate(&format!("{}/s", "9".repeat(400))), Err(UnitFault::TooLarge));
        for (text, bytes) in [("256B", 256), ("40KiB", 40_960), ("1MiB", 1_048_576), ("0B", 0)] {
            assert_eq!(read_size(text), Ok(bytes));
            assert_eq!(size_text(bytes), text);
        }
        assert_eq!(read_size("1.5KiB"), Ok(1536));
        assert_eq!(read_size("5KB"), Err(UnitFault::UnknownUnit));
        assert_eq!(read_size("5000MiB"), Err(UnitFault::TooLarge));
    }
}
