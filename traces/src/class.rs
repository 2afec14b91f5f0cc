//! Classes of keys: the TTL and the size of rows that state none, by the shape of their key.

use std::time::Duration;

use regex::bytes::RegexSet;
use regex::bytes::RegexSetBuilder;

use crate::error::TraceError;
use crate::format::PATTERN_BYTES_MAX;

/// The most classes.
pub const CLASSES_MAX: usize = 64;

/// A class: keys that fit a pattern, and what holds for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceClass {
    /// A regular expression; it fits where it is found anywhere in the key, unless it says `^` and `$`.
    pub pattern: String,
    /// Their TTL, where the row states none.
    pub ttl: Option<Duration>,
    /// Their size in bytes, where the row states none.
    pub size: Option<u32>,
}

/// Classes, ready to be asked. Of those that fit, the first counts.
#[derive(Debug)]
pub(crate) struct KeyClasses {
    patterns: RegexSet,
    classes: Vec<TraceClass>,
}

impl KeyClasses {
    pub(crate) fn new(classes: &[TraceClass]) -> Result<Self, TraceError> {
        if classes.len() > CLASSES_MAX {
            let found = classes.len().to_string();
            return Err(TraceError::Setting { what: "classes", found, allowed: "at most 64" });
        }
        let patterns = RegexSetBuilder::new(classes.iter().map(|class| &class.pattern))
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|error| TraceError::Pattern {
                what: "the pattern of a class".into(),
                found: error.to_string(),
                remedy: "write a regular expression without look-around, as ^user:",
            })?;
        Ok(Self { patterns, classes: classes.to_vec() })
    }

    /// The class that a name fits, and its number from 1 on.
    pub(crate) fn of(&self, name: &[u8]) -> Option<(u8, &TraceClass)> {
        // Where there are none, which is the most frequent case, no name is looked at.
        let first = if self.classes.is_empty() { None } else { self.patterns.matches(name).iter().next() };
        first.and_then(|at| Some((u8::try_from(at + 1).ok()?, self.classes.get(at)?)))
    }
}
