//! How a replica's operations reach the shared cache: over one connection, or over connections of a pool, held for a command or for the
//! request.
//!
//! Without any of these rows operations share one connection, as under `multiplexed`. `pool` gives an operation a connection of its own;
//! with `hold=request` the first one that a request takes is its own until it is answered, and until what it left behind in the
//! background is done: a service that takes a connection at a request's begin and gives it back at its end.

mod held;
mod pooled;
mod scope;
mod settings;
mod taking;

use std::sync::Arc;
use std::time::Duration;

pub use held::PoolCounters;
pub use scope::ConnectionUse;
pub(crate) use settings::{ConnectionLayer, ConnectionSpec};
pub use settings::{HoldFor, PoolSettings};

use self::pooled::{HeldForFills, Pooled};
use self::scope::{Scope, ScopedSpawn, in_scope};
use self::taking::Taking;
use crate::fill::Fill;
use crate::port::{ConnectionLimits, ReadFrom};
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;

impl ConnectionSpec {
    /// The ports whose operations go that way, and what a stack needs of it.
    pub(crate) fn connect(&self, ports: &Ports) -> (Ports, Connecting) {
        let mut ports = ports.clone();
        let limits = self.limits.unwrap_or(ConnectionLimits::USUAL);
        let Some(settings) = self.pool else {
            if self.limits.is_some() || self.reads != ReadFrom::Primary {
                let connected = ports.connections.shared(limits, self.reads);
                (ports.cache, ports.lease) = (connected.cache, connected.lease);
            }
            return (ports, Connecting(None));
        };
        let taking = Arc::new(Taking::new(settings, (limits, self.reads), &ports));
        ports.cache = Arc::new(Pooled(Arc::clone(&taking)));
        ports.lease = Arc::new(Pooled(Arc::clone(&taking)));
        ports.spawn = Arc::new(ScopedSpawn(ports.spawn));
        (ports, Connecting(Some(taking)))
    }
}

/// The connections of a stack that runs.
pub(crate) struct Connecting(Option<Arc<Taking>>);

impl Connecting {
    /// Does a request's work in a scope of its own, and says how it came by its connections; `None` where it asked for none.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> (T, Option<ConnectionUse>) {
        if self.0.is_none() {
            return (work.await, None);
        }
        let scope = Arc::<Scope>::default();
        let answer = in_scope(Arc::clone(&scope), work).await;
        (answer, scope.told())
    }

    /// The fill, holding a connection of those that are for fills, where they are kept apart and held.
    pub(crate) fn held_for_fills(&self, fill: Arc<dyn Fill>) -> Arc<dyn Fill> {
        match &self.0 {
            Some(taking) if taking.holds_for_fills() => Arc::new(HeldForFills(fill, Arc::clone(taking))),
            _ => fill,
        }
    }

    /// What became of the pool so far; nothing where there is none.
    pub(crate) fn counters(&self) -> PoolCounters {
        self.0.as_ref().map_or_else(PoolCounters::default, |taking| taking.counters())
    }
}

/// The row of `multiplexed`.
pub(crate) const MULTIPLEXED: LayerInfo = LayerInfo {
    name: "multiplexed",
    slot: Slot::Connection,
    summary: "all operations of a replica share one connection; what holds where nothing is said",
    params: &[],
    make: |_| Ok(Layer::Connection(ConnectionLayer::Multiplexed)),
};

/// The row of `pool`.
pub(crate) const POOL: LayerInfo = LayerInfo {
    name: "pool",
    slot: Slot::Connection,
    summary: "a pool of connections, taken for a command or for a whole request, first come, first served",
    params: &[
        ParamInfo { name: "size", default: "10", what: "connections of each replica", range: Range::Count(1, 10_000) },
        ParamInfo {
            name: "wait",
            default: "100ms",
            what: "how long an operation waits for one before it fails",
            range: Range::Time(Duration::from_millis(1), Duration::from_secs(3600)),
        },
        ParamInfo {
            name: "hold",
            default: "command",
            what: "for how long one is taken: command, or request (from its first command to its answer)",
            range: Range::Word(&["command", "request"]),
        },
        ParamInfo {
            name: "split",
            default: "1",
            what: "the share that is for reads alone, where fills are to have the rest for themselves; 1: both share all",
            range: Range::AtMost(1.0),
        },
    ],
    make: |args| {
        let settings = PoolSettings {
            size: args.count("size")?,
            wait: args.duration("wait")?,
            hold: args.word("hold", &[HoldFor::Command, HoldFor::Request])?,
            split: Some(args.number("split")?).filter(|share| *share < 1.0),
        };
        if settings.split.is_some() && settings.size < 2 {
            return Err("pool has one connection, which no split divides; write size=2 or more, or drop split".into());
        }
        Ok(Layer::Connection(ConnectionLayer::Pool(settings)))
    },
};

const LIMIT: Range = Range::Time(Duration::from_millis(1), Duration::from_secs(60));

/// The row of `timeouts`.
pub(crate) const TIMEOUTS: LayerInfo = LayerInfo {
    name: "timeouts",
    slot: Slot::Connection,
    summary: "how long steps on a connection to the shared cache may take",
    params: &[
        ParamInfo { name: "read", default: "100ms", what: "from a command to its reply", range: LIMIT },
        ParamInfo { name: "connect", default: "100ms", what: "to connect (no simulated replica has to)", range: LIMIT },
    ],
    make: |args| {
        let limits = ConnectionLimits { connect: args.duration("connect")?, reply: args.duration("read")? };
        Ok(Layer::Connection(ConnectionLayer::Timeouts(limits)))
    },
};

/// The row of `read-from`.
pub(crate) const READ_FROM: LayerInfo = LayerInfo {
    name: "read-from",
    slot: Slot::Connection,
    summary: "which nodes of a cluster answer reads; a replica does not know yet what its primary heard a moment ago",
    params: &[ParamInfo {
        name: "nodes",
        default: "replicas",
        what: "replicas, or any (the primary and its replicas, each as often)",
        range: Range::Word(&["replicas", "any"]),
    }],
    make: |args| {
        let reads = args.word("nodes", &[ReadFrom::Replicas, ReadFrom::Any])?;
        Ok(Layer::Connection(ConnectionLayer::ReadFrom(reads)))
    },
};
