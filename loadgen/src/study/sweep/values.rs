//! The values of one `--vary`: `0.5..3:0.25`, `2s,5s,10s`, or both mixed. Knows no knob.

use strategies::units::{DURATION, SIZE, duration_text, size_text};

use super::decimal::Decimal;

/// Most values of one knob.
pub const VALUES_MAX: usize = 1000;

/// One value, as it would be typed.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedValue {
    /// Its text.
    pub text: String,
    /// Where it stands on an axis, where it is a number: in seconds, per second, bytes, or as it is.
    pub number: Option<(f64, Dimension)>,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Nothing.
    Plain,
    /// Time; in seconds.
    Seconds,
    /// A rate; per second.
    PerSecond,
    /// A size; in bytes.
    Bytes,
    /// Multiples of the TTL.
    Ttl,
}

impl Dimension {
    /// The unit in which [`TypedValue::number`] counts; empty for plain numbers.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Seconds => "s",
            Self::PerSecond => "/s",
            Self::Bytes => "B",
            Self::Ttl => "T",
        }
    }
}

/// What is wrong with a text: what, found against allowed, remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub what: String,
    /// What was found against what is allowed.
    pub found: String,
    /// What to do.
    pub remedy: String,
}

fn wrong(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Wrong {
    Wrong { what: what.to_owned(), found: found.into(), remedy: remedy.into() }
}

/// Every value of a `--vary`, in the order given.
///
/// # Errors
/// [`Wrong`] at the first thing that is.
pub fn read(text: &str) -> Result<Vec<TypedValue>, Wrong> {
    let mut values: Vec<TypedValue> = Vec::new();
    for element in elements(text) {
        if element.is_empty() {
            let remedy = "write a list, as 2s,5s,10s, or a range, as 0.5..3:0.25";
            return Err(wrong("a value is missing", format!("found {text:?}"), remedy));
        }
        let room = VALUES_MAX - values.len();
        let more = if is_range(element) { range(element, room)? } else { vec![single(element)] };
        if more.len() > room {
            return Err(too_many(&format!("more than {VALUES_MAX}")));
        }
        for value in more {
            if let Some(same) = values.iter().find(|other| is_same(other, &value)) {
                let found = format!("found {} and {}, allowed each once", same.text, value.text);
                return Err(wrong("the same value twice", found, "drop one"));
            }
            values.push(value);
        }
    }
    Ok(values)
}

fn too_many(found: &str) -> Wrong {
    wrong("too many values", format!("found {found}, allowed at most {VALUES_MAX}"), "make the step larger")
}

fn is_same(one: &TypedValue, two: &TypedValue) -> bool {
    one.text == two.text || (one.number.is_some() && one.number == two.number)
}

/// Splits at commas outside brackets and quotes, so that a law can be a value.
fn elements(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth <= 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn is_range(element: &str) -> bool {
    element.contains("..") && !element.contains(['"', '{', '['])
}

/// A number and the unit written behind it.
fn quantity(text: &str) -> Option<(Decimal, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((Decimal::read(&text[..end])?, text[end..].trim()))
}

/// A value that is no range.
pub(crate) fn single(text: &str) -> TypedValue {
    let number = quantity(text).and_then(|(number, unit)| on_axis(number, unit, text));
    TypedValue { text: text.to_owned(), number }
}

fn on_axis(number: Decimal, unit: &str, text: &str) -> Option<(f64, Dimension)> {
    match unit {
        "" => Some((number.number(), Dimension::Plain)),
        "T" | "t" => Some((number.number(), Dimension::Ttl)),
        "/s" => Some((number.number(), Dimension::PerSecond)),
        "/m" => Some((number.number() / 60.0, Dimension::PerSecond)),
        "/h" => Some((number.number() / 3600.0, Dimension::PerSecond)),
        _ => match ((DURATION.read)(text), (SIZE.read)(text)) {
            (Ok(duration), _) => Some((duration.as_secs_f64(), Dimension::Seconds)),
            (_, Ok(bytes)) => Some((f64::from(bytes), Dimension::Bytes)),
            _ => None,
        },
    }
}

/// `from..to:step`, the end included where a step hits it.
fn range(text: &str, room: usize) -> Result<Vec<TypedValue>, Wrong> {
    let form = "write FROM..TO:STEP, as 0.5..3:0.25 or 1s..10s:1s";
    let parts = text.split_once("..").and_then(|(from, rest)| Some((from, rest.split_once(':')?)));
    let Some((from, (to, step))) = parts else {
        return Err(wrong("a range without a step", format!("found {text:?}"), form));
    };
    let [from, to, step] = [from, to, step].map(str::trim);
    let ends = [from, to, step].map(quantity);
    let [Some(first), Some(last), Some(by)] = ends else {
        let bad = [from, to, step].into_iter().find(|end| quantity(end).is_none()).unwrap_or_default();
        return Err(wrong("no number in a range", format!("found {bad:?} in {text:?}"), form));
    };
    let units = [first.1, last.1, by.1];
    let show: Box<dyn Fn(Decimal) -> String>;
    let [first, last, by] = if units.iter().all(|unit| *unit == units[0]) {
        let unit = units[0].to_owned();
        if on_axis(first.0, &unit, from).is_none() {
            return Err(wrong("an unknown unit in a range", format!("found {unit:?} in {text:?}"), form));
        }
        show = Box::new(move |number| format!("{number}{unit}"));
        [first.0, last.0, by.0]
    } else if let [Ok(first), Ok(last), Ok(by)] = [from, to, step].map(DURATION.read) {
        show = Box::new(|ns| duration_text(std::time::Duration::from_nanos(ns.to_string().parse().unwrap_or(0))));
        [first, last, by].map(|d| Decimal::whole(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    } else if let [Ok(first), Ok(last), Ok(by)] = [from, to, step].map(SIZE.read) {
        show = Box::new(|bytes| size_text(bytes.to_string().parse().unwrap_or(0)));
        [first, last, by].map(|bytes| Decimal::whole(u64::from(bytes)))
    } else {
        let found = format!("found {from}, {to} and {step}, allowed the same kind of quantity");
        return Err(wrong("units that do not go together", found, form));
    };
    let Some(steps) = first.steps_to(last, by) else {
        let (what, found) = if by.is_zero() {
            ("a range with a step of nought", format!("found {step}, allowed more than 0"))
        } else {
            ("a range that runs backwards", format!("found {from}..{to}, allowed a start below its end"))
        };
        return Err(wrong(what, found, form));
    };
    if steps >= room as u64 {
        return Err(too_many(&format!("{} in {text:?}", steps.saturating_add(1))));
    }
    Ok((0..=steps).map(|n| single(&show(first.plus(n, by)))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        read(text).unwrap_or_else(|wrong| panic!("{wrong:?}")).into_iter().map(|value| value.text).collect()
    }

    #[test]
    fn lists_and_ranges_are_what_they_look_like() {
        for (text, values) in [
            ("2s,5s,10s", "2s 5s 10s"),
            (" 2s , 5s ", "2s 5s"),
            ("7", "7"),
            ("0.5..1.5:0.25", "0.5 0.75 1 1.25 1.5"),
            ("0.1..0.5:0.1", "0.1 0.2 0.3 0.4 0.5"),
            ("0..1:0.3", "0 0.3 0.6 0.9"),
            ("3..3:1", "3"),
            ("1s..4s:1s", "1s 2s 3s 4s"),
            ("500ms..2s:500ms", "500ms 1s 1500ms 2s"),
            ("1KiB..2KiB:512B", "1KiB 1536B 2KiB"),
            ("100/s..300/s:100/s", "100/s 200/s 300/s"),
            ("0.5T..1T:0.25T", "0.5T 0.75T 1T"),
            ("1..3:1,10,20", "1 2 3 10 20"),
            ("poll,notify", "poll notify"),
            ("{ dist = \"exp\", mean = \"1s\" },2s", "{ dist = \"exp\", mean = \"1s\" } 2s"),
        ] {
            assert_eq!(texts(text).join(" "), values, "{text}");
        }
    }

    #[test]
    fn numbers_have_a_place_on_an_axis() {
        use Dimension::{Bytes, PerSecond, Plain, Seconds, Ttl};
        for (text, number) in [
            ("0.25", Some((0.25, Plain))),
            ("250ms", Some((0.25, Seconds))),
            ("2m", Some((120.0, Seconds))),
            ("120/m", Some((2.0, PerSecond))),
            ("2KiB", Some((2048.0, Bytes))),
            ("0.5T", Some((0.5, Ttl))),
            ("notify", None),
            ("5 bananas", None),
        ] {
            assert_eq!(read(text).unwrap()[0].number, number, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, what, found) in [
            ("", "a value is missing", "found \"\""),
            ("1,,2", "a value is missing", "found \"1,,2\""),
            ("0.5..3", "a range without a step", "found \"0.5..3\""),
            ("1..x:1", "no number in a range", "found \"x\""),
            ("-1..3:1", "no number in a range", "found \"-1\""),
            ("..3:1", "no number in a range", "found \"\""),
            ("1e3..2e3:1", "units that do not go together", "1e3"),
            ("1s..10s:1", "units that do not go together", "found 1s, 10s and 1"),
            ("1s..10s:1KiB", "units that do not go together", "found 1s, 10s and 1KiB"),
            ("1x..3x:1x", "an unknown unit in a range", "found \"x\""),
            ("3..1:1", "a range that runs backwards", "found 3..1"),
            ("1..3:0", "a range with a step of nought", "found 0"),
            ("0..100000:0.001", "too many values", "found 100000001 in"),
            ("1..600:1,700..1200:1", "too many values", "found 501 in"),
            ("1s,1000ms", "the same value twice", "found 1s and 1000ms"),
            ("0.5..1:0.25,0.750", "the same value twice", "found 0.75 and 0.750"),
            ("poll,poll", "the same value twice", "found poll and poll"),
        ] {
            let wrong = read(text).unwrap_err();
            assert_eq!(wrong.what, what, "{text}: {wrong:?}");
            assert!(wrong.found.contains(found), "{text}: {wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_range_has_every_step_and_no_other(
            from in 0_u32..5000, count in 0_u32..300, step in 1_u32..5000, rest in 0_u32..5000, places in 0_u32..4,
        ) {
            let one = 10_u32.pow(places);
            let rest = rest % step;
            let to = from + count * step + rest;
            let said = |n: u32| format!("{}.{:0width$}", n / one, n % one, width = places.max(1) as usize);
            let whole = |n: u32| if places == 0 { n.to_string() } else { said(n) };
            let values = read(&format!("{}..{}:{}", whole(from), whole(to), whole(step))).unwrap();
            prop_assert_eq!(values.len(), count as usize + 1);
            for (n, value) in values.iter().enumerate() {
                let exact = (u64::from(from) + n as u64 * u64::from(step)) as f64 / f64::from(one);
                prop_assert_eq!(value.number, Some((exact, Dimension::Plain)));
                prop_assert_eq!(value.text.parse::<f64>().unwrap(), exact, "what is typed is what is drawn");
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9.:,a-zTµ/\\-\"{}\\[\\]() ]{0,40}") {
            let _ = read(&text);
        }
    }
}
