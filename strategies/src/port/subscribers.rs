//! Subscribers of every message, for the adapters that have them: each with a line of bounded length.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::mpsc::{Sender, channel};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::{Heard, Messages};
use crate::port::key::Key;

/// Messages that may wait for a subscriber; where there would be more, the next that it hears is [`Heard::Lost`].
const WAITING_MAX: usize = 1024;

/// Everybody who subscribed and is still there.
#[derive(Default)]
pub struct Subscribers(Mutex<Vec<Subscriber>>);

struct Subscriber {
    line: Sender<Heard>,
    /// Messages found no room since the subscriber last caught up.
    lost: Arc<AtomicBool>,
}

impl Subscribers {
    /// A new one.
    #[must_use]
    pub fn subscribe(&self) -> Messages {
        let (line, told) = channel(WAITING_MAX);
        let lost = Arc::<AtomicBool>::default();
        self.list().push(Subscriber { line, lost: Arc::clone(&lost) });
        Box::pin(stream::unfold((told, lost), |(mut told, lost)| async move {
            let heard = match told.try_recv() {
                Ok(heard) => heard,
                Err(_) if lost.swap(false, Ordering::AcqRel) => Heard::Lost,
                Err(_) => told.next().await?,
            };
            Some((heard, (told, lost)))
        }))
    }

    /// Tells all of them. One whose line is full hears nothing more until it has caught up and been told of the loss.
    pub fn tell(&self, heard: &Heard) {
        self.list().retain_mut(|one| {
            if one.lost.load(Ordering::Acquire) {
                return !one.line.is_closed();
            }
            let sent = one.line.try_send(heard.clone());
            one.lost.store(sent.as_ref().is_err_and(|error| error.is_full()), Ordering::Release);
            !sent.is_err_and(|error| error.is_disconnected())
        });
    }

    /// Tells all of them of a key.
    pub fn announce(&self, key: &Key) {
        self.tell(&Heard::About(key.clone()));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Subscriber>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
