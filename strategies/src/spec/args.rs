//! The arguments of one term, taken out by name with their types checked.

use std::time::Duration;

use super::param::{ParamInfo, Range};
use super::span::Span;
use super::terms::{Arg, Term};
use crate::kit::nearest::nearest;
use crate::kit::units::{DURATION, SIZE, UnitFault};

/// A term's arguments, each given at most once, each known to the layer. Each is read as its parameter's [`Range`] says.
pub(crate) struct Args<'a> {
    layer: &'static str,
    params: &'static [ParamInfo],
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Args<'a> {
    pub(crate) fn of(layer: &'static str, params: &'static [ParamInfo], term: &'a Term) -> Result<Self, String> {
        let mut given: Vec<(&str, &str)> = Vec::new();
        for (at, Arg { key, value }) in term.args.iter().enumerate() {
            let name = match key {
                Some(key) => known(layer, params, key)?,
                None => positional(layer, params, at, value)?,
            };
            if given.iter().any(|(n, _)| *n == name) {
                return Err(format!("{} is given `{name}` twice", layer));
            }
            given.push((name, value));
        }
        Ok(Self { layer, params, given })
    }

    /// The value of a parameter as typed, or its default.
    fn text(&self, name: &str) -> &'a str {
        let default = || self.param(name).map_or("", |p| p.default);
        self.given.iter().find(|(n, _)| *n == name).map_or_else(default, |(_, value)| *value)
    }

    /// Whether a parameter is another than its default.
    pub(crate) fn is_changed(&self, name: &str) -> bool {
        self.param(name).is_some_and(|param| self.text(name) != param.default)
    }

    fn param(&self, name: &str) -> Option<&'static ParamInfo> {
        self.params.iter().find(|p| p.name == name)
    }

    fn wrong(&self, name: &str, problem: &str) -> String {
        let allowed = self.param(name).map(ParamInfo::allowed).unwrap_or_default();
        format!("{}({name}): {problem}; {name} is {allowed}", self.layer)
    }

    /// A parameter that was read as what its row does not say it is.
    fn misread(&self, name: &str) -> String {
        self.wrong(name, "is not what its layer reads it as: a bug")
    }

    pub(crate) fn number(&self, name: &str) -> Result<f64, String> {
        let text = self.text(name);
        match self.param(name).map(|p| p.range) {
            Some(Range::Below(most)) => self.float(name, text, |found| found > 0.0 && found < most),
            Some(Range::AtMost(most)) => self.float(name, text, |found| found > 0.0 && found <= most),
            _ => Err(self.misread(name)),
        }
    }

    fn float(&self, name: &str, number: &str, within: impl Fn(f64) -> bool) -> Result<f64, String> {
        let text = self.text(name);
        match number.parse::<f64>() {
            Ok(value) if value.is_finite() && within(value) => Ok(value),
            Ok(_) => Err(self.wrong(name, &format!("found {text}, which is out of range"))),
            Err(_) => Err(self.wrong(name, &format!("found {text:?}, which is no number"))),
        }
    }

    /// A spread upwards (`0.2`), or both ways (`±0.1`, which may be typed `+-0.1`): how much, and whether both ways.
    pub(crate) fn spread(&self, name: &str) -> Result<(f64, bool), String> {
        let Some(Range::Spread(up, most_both)) = self.param(name).map(|p| p.range) else {
            return Err(self.misread(name));
        };
        let text = self.text(name);
        match text.strip_prefix('±').or(text.strip_prefix("+-")) {
            None => Ok((self.float(name, text, |s| (0.0..=up).contains(&s))?, false)),
            Some(both) => Ok((self.float(name, both.trim(), |s| (0.0..=most_both).contains(&s))?, true)),
        }
    }

    pub(crate) fn count(&self, name: &str) -> Result<u32, String> {
        let Some(Range::Count(from, to) | Range::AllOrCount(from, to)) = self.param(name).map(|p| p.range) else {
            return Err(self.misread(name));
        };
        let text = self.text(name);
        match text.parse::<u32>() {
            Ok(value) if (from..=to).contains(&value) => Ok(value),
            _ if text.parse::<f64>().is_ok() => {
                Err(self.wrong(name, &format!("found {text}, which is out of range or no whole number")))
            }
            _ => Err(self.wrong(name, &format!("found {text:?}, which is no number"))),
        }
    }

    /// A whole number, or `None` for the word `all`.
    pub(crate) fn all_or_count(&self, name: &str) -> Result<Option<u32>, String> {
        if self.text(name) == "all" { Ok(None) } else { self.count(name).map(Some) }
    }

    /// A duration, or `None` for the word `auto`.
    pub(crate) fn auto_or_duration(&self, name: &str) -> Result<Option<Duration>, String> {
        if self.text(name) == "auto" { Ok(None) } else { self.duration(name).map(Some) }
    }

    pub(crate) fn duration(&self, name: &str) -> Result<Duration, String> {
        let Some(Range::Time(from, to) | Range::AutoOrTime(_, from, to)) = self.param(name).map(|p| p.range) else {
            return Err(self.misread(name));
        };
        let value = duration(self.text(name)).map_err(|problem| self.wrong(name, &problem))?;
        if (from..=to).contains(&value) {
            return Ok(value);
        }
        Err(self.wrong(name, &format!("found {}, which is out of range", self.text(name))))
    }

    pub(crate) fn size(&self, name: &str) -> Result<u32, String> {
        let Some(Range::Size) = self.param(name).map(|p| p.range) else { return Err(self.misread(name)) };
        let text = self.text(name);
        let size = (SIZE.read)(text).map_err(|fault| match fault {
            UnitFault::TooLarge => self.wrong(name, &format!("found {text}, which is out of range")),
            UnitFault::NoUnit => self.wrong(name, &format!("{text:?} needs a unit, e.g. {text}{}", SIZE.suffix)),
            _ => self.wrong(name, &format!("{text:?} is not {}, as {}", SIZE.words, SIZE.example)),
        })?;
        if size == 0 { Err(self.wrong(name, &format!("found {text}, which is out of range"))) } else { Ok(size) }
    }

    pub(crate) fn span(&self, name: &str) -> Result<Span, String> {
        let text = self.text(name);
        let Some(factor) = text.strip_suffix(['T', 't']) else {
            return duration(text).map(Span::Fixed).map_err(|problem| self.wrong(name, &problem));
        };
        let factor = if factor.is_empty() { Ok(1.0) } else { factor.parse::<f64>() };
        match factor {
            Ok(factor) if (0.0..=1000.0).contains(&factor) => Ok(Span::Ttl(factor)),
            _ => Err(self.wrong(name, &format!("found {text:?}, which is no multiple of the TTL from 0T to 1000T"))),
        }
    }

    /// Which of these each word means; they are in the order of the parameter's row.
    pub(crate) fn word<T: Copy>(&self, name: &str, meanings: &[T]) -> Result<T, String> {
        let Some(Range::Word(words)) = self.param(name).map(|p| p.range) else { return Err(self.misread(name)) };
        let text = self.text(name);
        let found = words.iter().zip(meanings).find(|(word, _)| **word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| self.wrong(name, &format!("found {text:?}")))
    }

    /// The arguments that differ from their defaults, in the layer's order: `(beta=2)`, or nothing.
    pub(crate) fn canonical(&self) -> String {
        let differing = self.params.iter().filter(|p| self.text(p.name) != p.default);
        let said: Vec<String> = differing.map(|p| format!("{}={}", p.name, self.text(p.name))).collect();
        if said.is_empty() { String::new() } else { format!("({})", said.join(", ")) }
    }
}

fn known(layer: &str, params: &'static [ParamInfo], key: &str) -> Result<&'static str, String> {
    if let Some(param) = params.iter().find(|p| p.name == key) {
        return Ok(param.name);
    }
    let names: Vec<&str> = params.iter().map(|p| p.name).collect();
    let meant = nearest(key, names.iter().copied()).map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
    let has = if names.is_empty() { "it has none".into() } else { format!("it has: {}", names.join(", ")) };
    Err(format!("{} has no parameter {key:?}{meant}; {has}", layer))
}

fn positional(layer: &str, params: &'static [ParamInfo], at: usize, value: &str) -> Result<&'static str, String> {
    match (at, params.first()) {
        (0, Some(param)) => Ok(param.name),
        (_, None) => Err(format!("{} has no parameters, found {value:?}", layer)),
        _ => Err(format!("only the first argument of {} may go without a name, found {value:?}", layer)),
    }
}

/// Reads a duration; an error is what is wrong with it, as a clause.
fn duration(text: &str) -> Result<Duration, String> {
    (DURATION.read)(text).map_err(|fault| match fault {
        UnitFault::NoUnit => format!("{text:?} needs a unit, e.g. {text}{}", DURATION.suffix),
        UnitFault::Negative => format!("{text:?} is negative"),
        UnitFault::TooLarge => format!("{text:?} is too long"),
        UnitFault::TooFine => format!("{text:?} is finer than a nanosecond"),
        UnitFault::UnknownUnit | UnitFault::NoNumber | UnitFault::NotFinite => {
            format!("{text:?} is not {}, as {}", DURATION.words, DURATION.example)
        }
    })
}
