//! A goal's text → a goal, or what is wrong with it and where.

use std::fmt;

use super::metric::{NamedMetric, all_names, limit};
use super::{Goal, GoalCondition, Relation, Sought};

/// Longest goal, characters; messages show it whole.
const TEXT_MAX: usize = 500;

/// What is wrong with a goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct GoalError {
    /// What.
    pub what: String,
    /// The character where it is, from 1; one beyond the last where something is missing at the end.
    pub at: usize,
    /// How many characters it has, at least 1.
    pub length: usize,
    /// What was found against what is allowed.
    pub found: String,
    /// What to do.
    pub remedy: String,
    /// The text as it was typed.
    pub text: Box<str>,
    /// The option that it was typed at.
    pub option: &'static str,
}

impl fmt::Display for GoalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, at, length, found, remedy, text, option } = self;
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (indent, carets) = (" ".repeat(at - 1), "^".repeat(*length));
        write!(f, "error: {what} · {option}, character {at} · {found} · {remedy}\n  {text}\n  {indent}{carets}")
    }
}

/// A piece of the text, and where it begins (in characters, from 0).
#[derive(Debug, Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    at: usize,
}

impl Goal {
    /// Reads a goal. `has_hot_key` says whether the keys have one, for some metrics are about it.
    ///
    /// # Errors
    /// [`GoalError`] at the first thing that is wrong.
    pub fn parse(text: &str, has_hot_key: bool) -> Result<Self, GoalError> {
        Parser::of("--goal", text, has_hot_key)?.goal()
    }
}

impl Sought {
    /// Reads what is sought. `has_hot_key` says whether the keys have one, for some metrics are about it.
    ///
    /// # Errors
    /// [`GoalError`] at the first thing that is wrong.
    pub fn parse(text: &str, has_hot_key: bool) -> Result<Self, GoalError> {
        Parser::of("--find", text, has_hot_key)?.sought()
    }
}

impl GoalCondition {
    /// Reads one condition, the value of `option`.
    ///
    /// # Errors
    /// As [`Goal::parse`].
    pub fn parse(text: &str, has_hot_key: bool, option: &'static str) -> Result<Self, GoalError> {
        let mut parser = Parser::of(option, text, has_hot_key)?;
        let condition = parser.condition()?;
        match parser.words.next() {
            None => Ok(condition),
            word => Err(parser.unexpected(word, "one condition, and no more", "the end", "give the option once more")),
        }
    }
}

struct Parser<'t> {
    option: &'static str,
    text: &'t str,
    end: usize,
    has_hot_key: bool,
    words: std::iter::Peekable<std::vec::IntoIter<Word<'t>>>,
}

impl<'t> Parser<'t> {
    fn of(option: &'static str, text: &'t str, has_hot_key: bool) -> Result<Self, GoalError> {
        let end = text.chars().count();
        let parser = Self { option, text, end, has_hot_key, words: words(text).into_iter().peekable() };
        if end > TEXT_MAX {
            let (found, remedy) = (format!("found {end} characters, allowed {TEXT_MAX}"), "shorten it");
            return Err(GoalError {
                text: text.chars().take(60).collect::<String>().into(),
                ..parser.wrong(
                    None,
                    if option == "--goal" { "the goal is too long" } else { "the condition is too long" },
                    found,
                    remedy,
                )
            });
        }
        Ok(parser)
    }

    fn sought(&mut self) -> Result<Sought, GoalError> {
        let example = "write it as \"max load.rate where latency.p99 <= 50ms\"";
        match self.words.next() {
            Some(word) if word.text.eq_ignore_ascii_case("max") => {}
            word => return Err(self.unexpected(word, "what is sought begins with max", "max", example)),
        }
        let Some(field) = self.words.next() else {
            return Err(self.unexpected(None, "a field is missing", "a field of the scenario", example));
        };
        let fields = scenarios::settable();
        if !fields.iter().any(|known| known == field.text) {
            let guess = scenarios::nearest(field.text, fields.iter().map(String::as_str));
            let guess = guess.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            let what = format!("unknown field `{}`{guess}", field.text);
            let found = format!("found `{}`, allowed a field that --set knows", field.text);
            return Err(self.wrong(Some(field), what, found, "docs/scenarios.md has the fields"));
        }
        let conditions = self.conditions()?;
        if conditions.is_empty() {
            return Err(self.unexpected(None, "nothing that must hold", "where and a condition", example));
        }
        Ok(Sought { text: self.text.trim().to_owned(), path: field.text.to_owned(), conditions })
    }

    fn goal(&mut self) -> Result<Goal, GoalError> {
        let most = match self.words.next() {
            Some(word) if word.text.eq_ignore_ascii_case("min") => false,
            Some(word) if word.text.eq_ignore_ascii_case("max") => true,
            word => {
                let what = if word.is_some() { "a goal begins with min or max" } else { "the goal is empty" };
                return Err(self.unexpected(word, what, "min or max", "write it as \"min origin.total\""));
            }
        };
        let (metric, _) = self.metric()?;
        let conditions = self.conditions()?;
        Ok(Goal { text: self.text.trim().to_owned(), most, metric: metric.path, conditions })
    }

    fn conditions(&mut self) -> Result<Vec<GoalCondition>, GoalError> {
        let mut conditions = Vec::new();
        let mut joint = "where";
        while let Some(word) = self.words.next() {
            if !word.text.eq_ignore_ascii_case(joint) {
                let remedy = format!("write {joint} METRIC <= VALUE, or end the goal here");
                return Err(self.unexpected(Some(word), &format!("`{joint}` is missing"), joint, &remedy));
            }
            conditions.push(self.condition()?);
            joint = "and";
        }
        Ok(conditions)
    }

    fn condition(&mut self) -> Result<GoalCondition, GoalError> {
        let (metric, name) = self.metric()?;
        let operator = self.words.next();
        let found = operator.and_then(|word| Relation::ALL.iter().find(|(text, _)| *text == word.text));
        let Some((operator, comparison)) = found else {
            let remedy = "write it as latency.p99 <= 20ms";
            return Err(self.unexpected(operator, "a comparison is missing", "<=, <, >= or >", remedy));
        };
        let Some(value) = self.words.next() else {
            return Err(self.unexpected(None, "a value is missing", "a number, perhaps with a unit", "write one"));
        };
        let text = self.with_unit(value);
        match limit(metric, name.text, &text) {
            Ok(limit) => {
                let text = format!("{} {operator} {text}", name.text);
                Ok(GoalCondition { metric: metric.path, comparison: *comparison, limit, text })
            }
            Err((what, allowed, remedy)) => {
                Err(self.wrong(Some(value), what, format!("found `{text}`, allowed {allowed}"), remedy))
            }
        }
    }

    /// A value's unit may stand apart from it: `20 ms`.
    fn with_unit(&mut self, value: Word<'t>) -> String {
        let is_number = value.text.parse::<f64>().is_ok_and(f64::is_finite);
        let unit =
            self.words.next_if(|next| is_number && ["%", "ns", "us", "µs", "ms", "s", "/s"].contains(&next.text));
        unit.map_or_else(|| value.text.to_owned(), |unit| format!("{}{}", value.text, unit.text))
    }

    fn metric(&mut self) -> Result<(NamedMetric, Word<'t>), GoalError> {
        let Some(word) = self.words.next() else {
            return Err(self.unexpected(None, "a metric is missing", "a metric", "write one, as origin.total"));
        };
        match NamedMetric::named(word.text) {
            Some(metric) if metric.is_of_the_hot_key() && !self.has_hot_key => Err(self.wrong(
                Some(word),
                "the metric is about the hot key",
                format!("found `{}`, and these keys have none", word.text),
                "choose another metric, or other keys",
            )),
            Some(metric) => Ok((metric, word)),
            None => {
                let names = all_names();
                let guess = scenarios::nearest(word.text, names.iter().map(String::as_str));
                let guess = guess.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
                let what = format!("unknown metric `{}`{guess}", word.text);
                let found = format!("found {}, allowed one of: {}", word.text, names.join(", "));
                Err(self.wrong(Some(word), what, found, "use one of these"))
            }
        }
    }

    fn unexpected(&self, word: Option<Word<'_>>, what: &str, allowed: &str, remedy: &str) -> GoalError {
        let found = word.map_or_else(|| "the end".to_owned(), |word| format!("`{}`", word.text));
        self.wrong(word, what, format!("found {found}, allowed {allowed}"), remedy)
    }

    fn wrong(
        &self,
        word: Option<Word<'_>>,
        what: impl Into<String>,
        found: String,
        remedy: impl Into<String>,
    ) -> GoalError {
        let (at, length) = word.map_or((self.end, 1), |word| (word.at, word.text.chars().count().max(1)));
        let (what, remedy, text) = (what.into(), remedy.into(), self.text.into());
        GoalError { what, at: at + 1, length, found, remedy, text, option: self.option }
    }
}

/// Words end at spaces; what consists of `<`, `=` and `>` is a word of its own.
fn words(text: &str) -> Vec<Word<'_>> {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Space,
        Operator,
        Other,
    }
    let class = |c: char| match c {
        c if c.is_whitespace() => Class::Space,
        '<' | '=' | '>' => Class::Operator,
        _ => Class::Other,
    };
    let mut words = Vec::new();
    let mut begun: Option<(usize, usize, Class)> = None;
    let end = (text.len(), text.chars().count(), Class::Space);
    let marks = text.char_indices().enumerate().map(|(at, (byte, c))| (byte, at, class(c))).chain([end]);
    for (byte, at, class) in marks {
        if let Some((from, first, of)) = begun.filter(|(.., of)| *of != class) {
            if of != Class::Space {
                words.push(Word { text: &text[from..byte], at: first });
            }
            begun = None;
        }
        begun = begun.or(Some((byte, at, class)));
    }
    words
}
