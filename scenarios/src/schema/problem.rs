//! What is wrong with a scenario, in the form that the user reads.
//!
//! One problem is one line, then the source line with a caret. A file's problems are collected and shown together, up to
//! a limit: a hostile file must not fill a disk with complaints.

use std::fmt;

use crate::schema::source::{Source, SourcePlace};

/// Most problems that are kept of one file; the rest are counted.
const SHOWN_MAX: usize = 50;

/// One thing that is wrong: what, where, found against allowed, remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a sentence without a full stop.
    pub what: String,
    /// `file:line:col`, or the override as it was given (`--set cache.ttl=5`).
    pub place: String,
    /// What was found, against what is allowed.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
    /// The source line and a caret under the place, two lines; `None` where there is no line to show.
    pub excerpt: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, place, found, remedy, excerpt } = self;
        write!(f, "error: {what} · {place} · {found} · {remedy}")?;
        match excerpt {
            Some(excerpt) => write!(f, "\n{excerpt}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with one scenario, in the order of the file, overrides last. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioErrors {
    /// The problems, at most 50.
    pub problems: Vec<Problem>,
    /// How many more there were.
    pub omitted: usize,
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let newline = if index > 0 { "\n" } else { "" };
            write!(f, "{newline}{problem}")?;
        }
        match self.omitted {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}

/// A problem whose place has not been looked up in the text yet.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) place: SourcePlace,
    pub(crate) what: String,
    pub(crate) found: String,
    pub(crate) remedy: String,
}

impl ScenarioErrors {
    pub(crate) fn locate(mut findings: Vec<Finding>, dropped: usize, source: &Source<'_>) -> Self {
        findings.sort_by(|a, b| a.place.cmp(&b.place));
        let omitted = dropped + findings.len().saturating_sub(SHOWN_MAX);
        let problems = findings.into_iter().take(SHOWN_MAX);
        let problems = problems.map(|finding| Problem {
            place: source.name(&finding.place),
            excerpt: source.excerpt(&finding.place),
            what: finding.what,
            found: finding.found,
            remedy: finding.remedy,
        });
        Self { problems: problems.collect(), omitted }
    }

    /// A problem with a whole file, which has no line to show.
    pub(crate) fn whole(file: &str, what: &str, found: String, remedy: String) -> Self {
        let problem = Problem {
            what: what.to_owned(),
            place: crate::schema::source::safe(file, usize::MAX),
            found,
            remedy,
            excerpt: None,
        };
        Self { problems: vec![problem], omitted: 0 }
    }
}
