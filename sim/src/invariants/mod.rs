//! Invariants: what must hold in every run, whatever goes wrong in it, checked over one ordered log.
//!
//! A checker is a small struct that consumes [`Fact`]s one by one and fails with a sentence; [`Judge`] runs them all,
//! online, and adds the fact's number. The names (I1, P1 …) are those of `docs/invariants.md`, which also says what is not
//! checked, and why. Facts come from a simulated world while it runs, or from the records of a real one afterwards
//! (`loadgen check RUN`): there a `slack` stands for its clocks.

mod ages;
mod answers;
mod causes;
mod checker;
mod counts;
mod early;
mod fact;
mod fact_text;
mod failures;
mod flights;
mod guards;
mod leases;
mod near;
mod origin;
mod puts;
mod skew;
mod troubles;
mod waits;
mod written;

use checker::Checker;
pub use checker::{Known, Terms};
pub use fact::{End, Fact, FactKind};
pub use troubles::{Active, Troubles};

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// At which fact, counted from 0.
    pub fact: usize,
    /// When, nanoseconds.
    pub at_ns: i64,
    /// In a sentence.
    pub sentence: String,
    /// Whether it is about the key of the fact.
    pub of_one_key: bool,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { invariant, fact, at_ns, sentence, .. } = self;
        write!(f, "{invariant}: {sentence} (event {fact}, at {:.6} s)", *at_ns as f64 / 1e9)
    }
}

/// All checkers over one log.
pub struct Judge {
    known: Known,
    checkers: Vec<Box<dyn Checker + Send>>,
    facts: usize,
}

impl Judge {
    /// Of a run with these terms.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let checkers: Vec<Box<dyn Checker + Send>> = vec![
            Box::<answers::OneAnswer>::default(),
            Box::<answers::Labels>::default(),
            Box::<answers::Values>::default(),
            Box::<ages::HardLife>::default(),
            Box::<causes::Attributed>::default(),
            Box::<failures::BackOff>::default(),
            Box::<failures::TakenOver>::default(),
            Box::<failures::Heals>::default(),
            Box::<flights::OneReader>::default(),
            Box::<flights::Needed>::default(),
            Box::<flights::FlightsEnd>::default(),
            Box::<leases::Owner>::default(),
            Box::<puts::Monotone>::default(),
            Box::<origin::Bounded>::default(),
            Box::<origin::LedgersAgree>::default(),
            Box::<early::EarlyLaw>::default(),
            Box::<guards::Reopens>::default(),
            Box::<guards::RetriesPaid>::default(),
            Box::<written::OwnWrites>::default(),
            Box::<written::Removals>::default(),
            Box::<near::CopiesEnd>::default(),
            Box::<near::CopiesHear>::default(),
            Box::<near::CopiesBounded>::default(),
        ];
        Self::with(terms, checkers)
    }

    /// Of a run in which requests increment counters.
    #[must_use]
    pub fn of_counters(terms: Terms) -> Self {
        Self::with(terms, vec![Box::<answers::OneAnswer>::default(), Box::<counts::CountedOnce>::default()])
    }

    fn with(terms: Terms, checkers: Vec<Box<dyn Checker + Send>>) -> Self {
        Self { known: Known { terms, troubles: Troubles::default() }, checkers, facts: 0 }
    }

    /// Looks at the next fact.
    ///
    /// # Errors
    /// The first invariant that it breaks.
    pub fn see(&mut self, fact: &Fact) -> Result<(), Violation> {
        if let FactKind::Trouble(active) = &fact.what {
            self.known.troubles.add(*active);
        }
        let number = self.facts;
        self.facts += 1;
        for checker in &mut self.checkers {
            checker.see(&self.known, fact).map_err(|sentence| Violation {
                invariant: checker.name(),
                fact: number,
                at_ns: fact.when_ns(),
                sentence,
                of_one_key: checker.of_one_key(),
            })?;
        }
        Ok(())
    }
}
