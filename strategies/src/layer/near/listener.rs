//! What a process hears of changes, for as long as its near layer is there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};

use super::copies::Copies;
use crate::port::{Bus, Clock, Heard, Invalidations, Messages};

/// How long a listener that could not begin waits before it tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// Takes away copies of what has changed, until `gone` ends.
pub(super) async fn listen(
    copies: Arc<Copies>,
    invalidations: Arc<dyn Invalidations>,
    bus: Bus,
    clock: Arc<dyn Clock>,
    gone: oneshot::Receiver<Infallible>,
) {
    let hear = async {
        loop {
            match invalidations.hear(bus).await {
                Some(messages) => attend(&copies, messages).await,
                None => clock.sleep(AGAIN).await,
            }
        }
    };
    match select(Box::pin(hear), gone).await {
        Either::Left((never, _)) => never,
        Either::Right((Ok(never), _)) => match never {},
        Either::Right((Err(oneshot::Canceled), _)) => {}
    }
}

async fn attend(copies: &Copies, mut messages: Messages) {
    copies.hears();
    while let Some(heard) = messages.next().await {
        match heard {
            Heard::About(key) => copies.heard(&key),
            Heard::Lost => copies.flush(),
        }
    }
    // Whatever made it end, what comes until it is heard again is missed.
    copies.flush();
}
