//! Taking connections of a pool.

use std::sync::Arc;
use std::task::Poll;

use futures_util::future::poll_fn;

use super::held::{Gauge, HeldConnection, PoolCounters, WaitingOperation};
use super::scope::Scope;
use super::settings::{HoldFor, PoolSettings};
use crate::kit::units::duration_text;
use crate::kit::within::within;
use crate::port::{
    CacheConnectionPool, CacheError, CacheErrorClass, Clock, ConnectionLimits, ReadFrom, TakenConnection,
};
use crate::stack::Ports;

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Read,
    Fill,
}

/// A replica's pool, or the two parts of it.
pub(super) struct Taking {
    settings: PoolSettings,
    reads: Arc<dyn CacheConnectionPool>,
    fills: Arc<dyn CacheConnectionPool>,
    clock: Arc<dyn Clock>,
    gauge: Arc<Gauge>,
}

impl Taking {
    pub(super) fn new(settings: PoolSettings, (limits, reads): (ConnectionLimits, ReadFrom), ports: &Ports) -> Self {
        let pool = |size| ports.connections.pool(size, limits, reads);
        let (reads, fills) = match settings.parts() {
            Some((reads, fills)) => (pool(reads), pool(fills)),
            None => {
                let all = pool(settings.size);
                (Arc::clone(&all), all)
            }
        };
        Self { settings, reads, fills, clock: Arc::clone(&ports.clock), gauge: Arc::default() }
    }

    /// Whether a fill takes a connection before anything else.
    pub(super) fn holds_for_fills(&self) -> bool {
        self.settings.hold == HoldFor::Request && self.settings.split.is_some()
    }

    /// A connection for an operation: its request's own, where that holds one.
    pub(super) async fn connection(&self, side: Side) -> Result<Arc<HeldConnection>, CacheError> {
        let scope = Scope::current();
        if let Some(held) = scope.as_ref().and_then(|scope| scope.held()) {
            return Ok(held);
        }
        let taken = self.take(side, scope.as_deref()).await?;
        let holds = self.settings.hold == HoldFor::Request && (side == Side::Fill || self.settings.split.is_none());
        Ok(match scope {
            Some(scope) if holds => scope.hold(taken),
            _ => Arc::new(taken),
        })
    }

    async fn take(&self, side: Side, scope: Option<&Scope>) -> Result<HeldConnection, CacheError> {
        let gauge = &self.gauge;
        if let Some(scope) = scope {
            let now = gauge.counters();
            scope.finds(now.in_use, now.waiting);
        }
        let mut take = match side {
            Side::Read => self.reads.take(),
            Side::Fill => self.fills.take(),
        };
        if let Poll::Ready(taken) = poll_fn(|cx| Poll::Ready(take.as_mut().poll(cx))).await {
            return Ok(self.held(taken));
        }
        let begun = self.clock.mono();
        let waits = WaitingOperation::one(gauge);
        let taken = within(&*self.clock, begun.plus(self.settings.wait), take).await;
        drop(waits);
        if let Some(scope) = scope {
            scope.waited(self.clock.mono().since(begun));
        }
        let Some(taken) = taken else {
            gauge.gave_up();
            let wait = duration_text(self.settings.wait);
            let message = format!("no connection of the pool's {} came free within {wait}", self.settings.size);
            return Err(CacheError { class: CacheErrorClass::Exhausted, message });
        };
        Ok(self.held(taken))
    }

    fn held(&self, taken: TakenConnection) -> HeldConnection {
        HeldConnection::new(taken, Arc::clone(&self.gauge), Arc::clone(&self.clock))
    }

    pub(super) fn counters(&self) -> PoolCounters {
        self.gauge.counters()
    }
}
