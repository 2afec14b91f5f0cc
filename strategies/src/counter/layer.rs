//! What a counter strategy is made of: rows, a base, and what stands around it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::port::key::Key;
use crate::port::{BoxFuture, CacheError, CacheErrorClass, Capabilities, Clock, CounterCommand, CounterServer, Spawn};
use crate::rng::Rng;
use crate::spec::{Args, ParamInfo};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterPart {
    /// With which commands one increment is made; each strategy has exactly one.
    Base,
    /// Stands around a base.
    Around,
}

/// A counter strategy's row in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CounterInfo {
    /// Its name in a SPEC.
    pub name: &'static str,
    /// What it is.
    pub part: CounterPart,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its parameters; the first may be given without its name.
    pub params: &'static [ParamInfo],
    /// Makes it of a term's arguments.
    pub(crate) make: fn(&Args<'_>) -> Result<CounterTerm, String>,
}

/// What a term became.
#[derive(Debug, Clone)]
pub(crate) enum CounterTerm {
    Base(Arc<dyn CounterBase>),
    Around(Arc<dyn CounterLayer>),
    /// Lives that are drawn: from T·(1 + U(0, spread)), or both ways.
    Jitter {
        spread: f64,
        symmetric: bool,
    },
}

/// How often something was counted in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountAnswer {
    /// The counter after the increment: what a limiter compares with its limit. Of a counter in several keys, or of one that is counted in
    /// the process first, it is an estimate.
    pub value: u64,
    /// What the server said; `None` where it was not asked yet.
    pub told: Option<ToldCount>,
}

/// What the server said after an increment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldCount {
    /// In which of the counter's keys: 0 where there is one.
    pub part: u32,
    /// That key's value.
    pub value: u64,
}

/// An increment that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// It was not counted.
    #[error("not counted: {0}")]
    Not(CacheError),
    /// Nobody knows whether it was counted: the answer was lost.
    #[error("perhaps counted: {0}")]
    Unknown(CacheError),
    /// The request's time was over; whether it was counted nobody knows.
    #[error("perhaps counted: out of time")]
    OutOfTime,
}

impl CountError {
    /// Whether it may have been counted all the same.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        !matches!(self, Self::Not(_))
    }

    /// Of a command that would have counted: only an answer of the server's says that it did not.
    pub(crate) const fn of_increment(error: CacheError) -> Self {
        match error.class {
            CacheErrorClass::Down | CacheErrorClass::Slow => Self::Unknown(error),
            CacheErrorClass::Full
            | CacheErrorClass::Moved
            | CacheErrorClass::Denied
            | CacheErrorClass::Refused
            | CacheErrorClass::Open
            | CacheErrorClass::Shed
            | CacheErrorClass::Exhausted => Self::Not(error),
        }
    }
}

/// One increment, as a base makes it.
#[derive(Clone, Copy)]
pub(crate) struct Increment<'a> {
    pub(crate) server: &'a dyn CounterServer,
    pub(crate) key: &'a Key,
    pub(crate) by: i64,
    /// How long the window lives that this may begin.
    pub(crate) life: Duration,
}

impl Increment<'_> {
    /// A command before the one that counts.
    pub(crate) async fn ask(&self, command: CounterCommand) -> Result<Option<i64>, CountError> {
        self.server.command(self.key, command).await.map_err(CountError::Not)
    }

    /// The command that counts: the value after it.
    pub(crate) async fn count(&self, command: CounterCommand) -> Result<i64, CountError> {
        let counted = self.server.command(self.key, command).await.map_err(CountError::of_increment)?;
        let silent = || CacheError { class: CacheErrorClass::Refused, message: "the server told no value".into() };
        counted.ok_or_else(|| CountError::Unknown(silent()))
    }
}

/// With which commands one increment is made.
pub(crate) trait CounterBase: Debug + Send + Sync {
    /// Makes it: the value after it.
    fn add<'a>(&'a self, increment: Increment<'a>) -> BoxFuture<'a, Result<i64, CountError>>;

    /// What the server must be able to do for it.
    fn needs(&self) -> Capabilities {
        Capabilities::NONE
    }

    /// Whether no key of it is ever without an end, and whatever it acknowledged is in the counter, whichever part dies at whichever moment.
    fn is_right(&self) -> bool;
}

/// What counts.
pub(crate) trait Increments: Send + Sync {
    /// Adds `by` to a key's counter.
    fn count<'a>(&'a self, key: &'a Key, by: i64) -> BoxFuture<'a, Result<CountAnswer, CountError>>;
}

/// What a layer has of its replica.
pub(crate) struct LayerPorts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) spawn: Arc<dyn Spawn>,
    pub(crate) rng: Arc<Rng>,
    /// T.
    pub(crate) window: Duration,
}

/// What stands around a base.
pub(crate) trait CounterLayer: Debug + Send + Sync {
    /// What counts, with this around it.
    fn around(&self, inner: Arc<dyn Increments>, ports: &LayerPorts) -> Arc<dyn Increments>;

    /// How long an increment may be acknowledged before it is sent.
    fn holds_back(&self) -> Duration {
        Duration::ZERO
    }

    /// Into how many keys it parts a counter.
    fn parts(&self) -> u32 {
        1
    }

    /// The keys in the server of a key's counter.
    fn keys(&self, key: &Key) -> Vec<Key> {
        vec![key.clone()]
    }
}
