//! Where a replica's shared cache comes from: the one thing in which a lab with Redis and one with memory differ here.

use std::sync::Arc;
use std::time::Duration;

use evidence::{CacheStatus, CommandTimes, RedirectCounts};
use strategies::port::{
    BoxFuture, Bus, Cache, Capabilities, Connections, CounterServer, Invalidations, Lease, Traffic, Wake,
};
use strategies::sabotage::Seize;

pub use crate::wire::refused::{RefusalCause, Refused};

/// The ports of one namespace of a shared cache.
#[derive(Clone)]
pub struct CachePorts {
    /// Entries.
    pub cache: Arc<dyn Cache>,
    /// The same entries for the lab's own looks, which are nobody's traffic.
    pub aside: Arc<dyn Cache>,
    /// Leases.
    pub lease: Arc<dyn Lease>,
    /// Connections of a strategy's own choice, to both.
    pub connections: Arc<dyn Connections>,
    /// Messages between replicas.
    pub wake: Arc<dyn Wake>,
    /// How copies in the replica learn of changes.
    pub invalidations: Arc<dyn Invalidations>,
    /// Counters.
    pub counters: Arc<dyn CounterServer>,
    /// What goes between them and the cache; `None` where nothing does.
    pub traffic: Option<Arc<Traffic>>,
    /// Leases that anybody may delete, for a strategy that is wrong on purpose.
    pub seize: Arc<dyn Seize>,
}

/// A shared cache that opens a namespace for each strategy of each run.
pub trait CacheSource: Send + Sync {
    /// The ports of a namespace, `<run>:<strategy>`; what is stored in one is never seen in another.
    fn open(&self, namespace: &str) -> CachePorts;

    /// Ends the connections on which this replica hears of changes, and lets it make none for a time; an error is a sentence.
    fn cut_changes(&self, length: Duration) -> BoxFuture<'_, Result<(), String>>;

    /// What it can do beyond keeping entries.
    fn can(&self) -> Capabilities {
        Capabilities::ONE_SERVER
    }

    /// What it can where its status says that it is this server: not every version knows every command.
    fn can_of(&self, _server: &str) -> Capabilities {
        self.can()
    }

    /// What a cluster's nodes answered instead of replies so far; `None` where it is none.
    fn redirects(&self) -> Option<RedirectCounts> {
        None
    }

    /// How long commands to a cluster took so far; nothing where it is none.
    fn command_times(&self) -> CommandTimes {
        CommandTimes::default()
    }

    /// Asks the cache about itself; an error is a sentence for people.
    fn status(&self) -> BoxFuture<'_, Result<CacheStatus, String>>;

    /// Tries everything that a strategy may ask of the cache, and these ways of hearing of changes, in a namespace that is empty again
    /// afterwards. A cache in this process refuses nothing.
    fn preflight<'a>(&'a self, _namespace: &'a str, _buses: Vec<Bus>) -> BoxFuture<'a, Result<CacheStatus, Refused>> {
        Box::pin(async { self.status().await.map_err(|said| Refused::at("status", &said)) })
    }
}
