//! Invariants: what must hold in every run, whatever goes wrong in it, checked over one ordered log.
//!
//! A checker is a small struct that consumes [`Fact`]s one by one and fails with a sentence; [`Judge`] runs them all,
//! online, and adds the fact's number. The names (I1, P1 …) are those of `docs/invariants.md`, which also says what is not
//! checked, and why. Facts come from a simulated world while it runs, or from the records of a real one afterwards
//! (`loadgen check RUN`): there a `slack` stands for its clocks.

mod ages;
mod answers;
mod causes;
mod early;
mod failures;
mod flights;
mod guards;
mod leases;
mod origin;
mod puts;
mod skew;
mod troubles;
mod waits;
mod words;

use std::time::Duration;

use strategies::port::Event;
use strategies::spec::Promise;
use strategies::{Budgets, GetError, Key, Served};

use crate::cache::Effect;
use crate::origin::Read;
pub use troubles::{Active, Troubles};

const MS: i64 = 1_000_000;

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Fact {
    /// When, nanoseconds.
    pub at_ns: i64,
    /// At or by which replica, where it is one's.
    pub node: Option<u16>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// A request came.
    Asked {
        /// Its number.
        request: u32,
        /// For what.
        key: Key,
        /// Whether it came after everything had healed.
        probe: bool,
    },
    /// A request is over.
    Answered {
        /// Its number.
        request: u32,
        /// How.
        end: End,
    },
    /// Clients sent so many first attempts and retries.
    Sent {
        /// First attempts.
        first: u64,
        /// Retries.
        retries: u64,
    },
    /// A strategy told of something.
    Told(Event),
    /// Something took effect in the cache.
    Cache(Effect),
    /// Something began to go wrong.
    Trouble(Active),
    /// A row of the origin's ledger, told when everything is over, in the order in which reads arrived.
    Read(Read),
    /// Everything is over; so many tasks go on.
    Over(usize),
}

/// How a request ended.
#[derive(Debug, Clone)]
pub enum End {
    /// With its replica's answer.
    Answer(Result<Served, GetError>),
    /// Its client went away.
    Gone,
    /// Its replica died over it.
    Reset,
    /// Its replica was dead.
    Refused,
    /// It never got an answer.
    Never,
}

/// What the checkers go by.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What the strategy promises.
    pub promise: Promise,
    /// How many replicas.
    pub replicas: u16,
    /// How long things may take in a replica.
    pub budgets: Budgets,
    /// The origin's places.
    pub places: usize,
    /// Reads that may wait for one.
    pub queue: usize,
    /// How often each item gets a new version, from time zero.
    pub write_every: Option<Duration>,
    /// How far wall clocks may be apart.
    pub clocks: Duration,
    /// How exactly facts are dated, the travel of a message included.
    pub slack: Duration,
    /// Retries for each first attempt that the clients' budget allows; `None` where there is no budget.
    pub retry_share: Option<f64>,
    /// Whether the log has everything that takes effect in the cache, locks included.
    pub sees_cache: bool,
}

/// What checkers know beside the fact before them.
#[derive(Debug)]
pub struct Known {
    /// The terms.
    pub terms: Terms,
    /// What has gone wrong so far.
    pub troubles: Troubles,
}

impl Known {
    fn clocks(&self) -> i64 {
        nanos(self.terms.clocks)
    }

    fn slack(&self) -> i64 {
        nanos(self.terms.slack)
    }
}

/// What a checker found.
type Verdict = Result<(), String>;

/// An invariant.
trait Checker {
    /// Its name, `I7 one answer`.
    fn name(&self) -> &'static str;
    /// Looks at the next fact.
    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict;
    /// Whether what it says of a fact is about that fact's key, and not about a replica or all of them.
    fn of_one_key(&self) -> bool {
        true
    }
}

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
            Box::<flights::Ends>::default(),
            Box::<leases::Owner>::default(),
            Box::<puts::Monotone>::default(),
            Box::<origin::Bounded>::default(),
            Box::<origin::Ledgers>::default(),
            Box::<early::Law>::default(),
            Box::<guards::Reopens>::default(),
            Box::<guards::RetriesPaid>::default(),
        ];
        Self { known: Known { terms, troubles: Troubles::default() }, checkers, facts: 0 }
    }

    /// Looks at the next fact.
    ///
    /// # Errors
    /// The first invariant that it breaks.
    pub fn see(&mut self, fact: &Fact) -> Result<(), Violation> {
        if let What::Trouble(active) = &fact.what {
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

fn nanos(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

fn ms(ns: i64) -> String {
    format!("{:.3} ms", ns as f64 / 1e6)
}
