//! The innermost writer: gives the item a new version at the origin, in a flight with a name of its own.

use std::sync::Arc;

use super::{CommittedItem, ItemWriter};
use crate::fill::{Cx, Flights};
use crate::kit::within::within;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{BoxFuture, Event, LoadCx, Origin, OriginError};
use crate::stack::Ports;

/// Writes to the origin, and nowhere else.
pub(crate) struct StoreWriter {
    pub(crate) ports: Ports,
    pub(crate) origin: Arc<dyn Origin>,
    pub(crate) flights: Arc<Flights>,
}

impl ItemWriter for StoreWriter {
    fn write<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<CommittedItem, GetError>> {
        Box::pin(async move {
            let clock = &*self.ports.clock;
            let flight = self.flights.name();
            let begun = clock.mono();
            let deadline = cx.deadline.min(begun.plus(self.ports.budgets.origin_read));
            let write = self.origin.store(key, LoadCx { flight, replica: cx.replica, deadline });
            let answer = within(clock, deadline, write).await.unwrap_or(Err(OriginError::TimedOut));
            let delta = clock.mono().since(begun);
            let key = key.clone();
            match answer {
                Ok(loaded) => {
                    let version = loaded.value.is_some().then_some(loaded.version);
                    self.ports.events.emit(Event::Written { flight, key, version });
                    Ok(CommittedItem { loaded, flight, delta })
                }
                Err(error) => {
                    self.ports.events.emit(Event::WriteFailed { flight, key });
                    Err(match error {
                        OriginError::Refused { retry_after } => GetError::Refused { retry_after, flight },
                        error => GetError::Origin { error, flight },
                    })
                }
            }
        })
    }
}
