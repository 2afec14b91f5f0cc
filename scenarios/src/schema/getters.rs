//! The getters: one for each kind of field, each reporting what it refuses and knowing no particular field.
//!
//! A getter that returns `None` has reported why.

use std::ops::RangeInclusive;

use crate::schema::nearest::did_you_mean;
use crate::schema::source::safe;
use crate::schema::tree::{Node, Value};
use crate::schema::walk::{Fields, Walk};
use strategies::units::{Unit, UnitFault};

impl Walk<'_> {
    /// A text.
    pub(crate) fn text(&mut self, fields: &Fields<'_>, name: &str, example: &str) -> Option<String> {
        let Some(node) = fields.get(name) else {
            self.missing(fields, name, &format!("write {name} = \"{example}\""));
            return None;
        };
        if let Value::Text(text) = &node.value {
            return Some(text.clone());
        }
        self.refuse(
            node,
            format!("`{name}` must be a text"),
            "a text in quotes",
            format!("write {name} = \"{example}\""),
        );
        None
    }

    /// One word of a list of words; `default` where it is absent.
    pub(crate) fn word<T: Copy>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        words: &[(&'static str, T)],
        default: Option<T>,
    ) -> Option<T> {
        if fields.get(name).is_none() && default.is_some() {
            return default;
        }
        let first = words.first().map_or("", |(word, _)| word);
        let text = self.text(fields, name, first)?;
        let known = words.iter().find(|(word, _)| *word == text);
        if known.is_none()
            && let Some(node) = fields.get(name)
        {
            let guess = did_you_mean(&text, words.iter().map(|(word, _)| *word));
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let what = format!("unknown `{name}` `{}`{guess}", safe(&text, 60));
            self.refuse(node, what, &allowed.join(", "), "use one of these words");
        }
        known.map(|(_, value)| *value)
    }

    /// A whole number; `default` where it is absent.
    pub(crate) fn integer(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        allowed: RangeInclusive<u32>,
        default: Option<u32>,
    ) -> Option<u32> {
        let (low, high) = (*allowed.start(), *allowed.end());
        let Some(node) = fields.get(name) else {
            if default.is_none() {
                self.missing(fields, name, &format!("write {name} = a whole number from {low} to {high}"));
            }
            return default;
        };
        let words = format!("{low} to {high}");
        let Value::Integer(number) = &node.value else {
            let what = format!("`{name}` must be a whole number");
            self.refuse(node, what, &words, "write a whole number, without quotes, point or unit");
            return None;
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        let inside = number.filter(|number| allowed.contains(number));
        if inside.is_none() {
            self.refuse(node, format!("`{name}` is out of range"), &words, "choose a number in that range");
        }
        inside
    }

    /// A number that passes `test`, which `allowed` says in words.
    pub(crate) fn number(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        allowed: &str,
        test: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let Some(node) = fields.get(name) else {
            self.missing(fields, name, &format!("write {name} = a number, {allowed}"));
            return None;
        };
        let number = match node.value {
            Value::Float(number) => number,
            Value::Integer(number) => number.map_or(f64::NAN, |number| number as f64),
            _ => {
                self.refuse(
                    node,
                    format!("`{name}` must be a number"),
                    allowed,
                    "write a number, without quotes or unit",
                );
                return None;
            }
        };
        if number.is_finite() && test(number) {
            return Some(number);
        }
        self.refuse(node, format!("`{name}` is out of range"), allowed, "choose a number in that range");
        None
    }

    /// A quantity with a unit; `default` where it is absent.
    pub(crate) fn quantity<T: Copy + PartialOrd>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        unit: &Unit<T>,
        allowed: RangeInclusive<T>,
        default: Option<T>,
    ) -> Option<T> {
        let Some(node) = fields.get(name) else {
            if default.is_none() {
                self.missing(fields, name, &format!("write {name} = \"{}\"", unit.example));
            }
            return default;
        };
        let read = match &node.value {
            Value::Text(text) => (unit.read)(text),
            Value::Integer(_) | Value::Float(_) => Err(bare_number(&node.value)),
            _ => Err(UnitFault::NoNumber),
        };
        let words = || format!("{} to {}", (unit.show)(*allowed.start()), (unit.show)(*allowed.end()));
        match read {
            Ok(value) if allowed.contains(&value) => Some(value),
            Ok(_) | Err(UnitFault::TooLarge) => {
                self.refuse(node, format!("`{name}` is out of range"), &words(), "choose a value in that range");
                None
            }
            Err(fault) => {
                self.refuse_unit(node, name, unit, fault);
                None
            }
        }
    }

    /// The quantity if it is there and well formed; silent otherwise, for rules that look across tables.
    pub(crate) fn peek<T>(fields: Option<&Fields<'_>>, name: &str, unit: &Unit<T>) -> Option<T> {
        match &fields?.get(name)?.value {
            Value::Text(text) => (unit.read)(text).ok(),
            _ => None,
        }
    }

    fn refuse_unit<T>(&mut self, node: &Node, name: &str, unit: &Unit<T>, fault: UnitFault) {
        let example = unit.example;
        let what = match fault {
            UnitFault::NoUnit => format!("`{name}` needs a unit, e.g. {example}"),
            UnitFault::UnknownUnit => format!("`{name}` has an unknown unit"),
            UnitFault::Negative => format!("`{name}` must not be negative"),
            UnitFault::NotFinite => format!("`{name}` must be a finite number"),
            UnitFault::TooFine => format!("`{name}` is finer than its smallest unit"),
            UnitFault::NoNumber | UnitFault::TooLarge => format!("`{name}` is not a number with a unit"),
        };
        let number = self.found(&node.place);
        let number = number.trim_matches(['"', '\'']);
        let remedy = match fault {
            UnitFault::NoUnit => format!("write {name} = \"{number}{}\"", unit.suffix),
            _ => format!("write one number and one unit, e.g. {name} = \"{example}\""),
        };
        self.refuse(node, what, unit.words, remedy);
    }
}

/// What a number without quotes lacks: first of all sense, then a unit.
fn bare_number(value: &Value) -> UnitFault {
    match value {
        Value::Float(number) if !number.is_finite() => UnitFault::NotFinite,
        Value::Float(number) if *number < 0.0 => UnitFault::Negative,
        Value::Integer(Some(number)) if *number < 0 => UnitFault::Negative,
        _ => UnitFault::NoUnit,
    }
}
