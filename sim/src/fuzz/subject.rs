//! What is played: a strategy that reads and writes items, or one that counts.

use strategies::Spec;
use strategies::counter::CounterSpec;
use strategies::spec::SpecError;

/// A strategy under test.
#[derive(Debug, Clone, PartialEq)]
pub enum FuzzSubject {
    /// One of items: requests read, and writers write.
    Items(Box<Spec>),
    /// One of counters: each request increments the counter of its item.
    Counters(CounterSpec),
}

impl FuzzSubject {
    /// Reads a preset or a SPEC, of items or of counters.
    ///
    /// # Errors
    /// [`SpecError`] at the first thing that is wrong; of text that is neither, what is wrong as a strategy of items.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        Spec::parse(text)
            .map(|spec| Self::Items(Box::new(spec)))
            .or_else(|error| CounterSpec::parse(text).map(Self::Counters).map_err(|_| error))
    }

    /// What the user asked for, as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Items(spec) => spec.name(),
            Self::Counters(spec) => spec.name(),
        }
    }

    /// The full composition.
    #[must_use]
    pub fn canonical(&self) -> &str {
        match self {
            Self::Items(spec) => spec.canonical(),
            Self::Counters(spec) => spec.canonical(),
        }
    }
}
