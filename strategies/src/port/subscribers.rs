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
        let mut list = self.list();
        // Where nothing is ever announced, those that went away must not gather.
        list.retain(|one| !one.line.is_closed());
        list.push(Subscriber { line, lost: Arc::clone(&lost) });
        drop(list);
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

    /// Whether nobody is there any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list().iter().all(|one| one.line.is_closed())
    }

    /// Tells all of them of a key.
    pub fn announce(&self, key: &Key) {
        self.tell(&Heard::About(key.clone()));
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Subscriber>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// What there is to hear now.
    fn heard(messages: &mut Messages) -> Vec<Heard> {
        std::iter::from_fn(|| messages.next().now_or_never().flatten()).collect()
    }

    #[test]
    fn a_slow_subscriber_is_told_that_it_missed_something_and_holds_no_more_than_its_line() {
        let all = Subscribers::default();
        let (mut slow, mut quick) = (all.subscribe(), all.subscribe());
        let mut of_quick = 0;
        for item in 1..=5000 {
            all.announce(&Key::of_item(item));
            of_quick += heard(&mut quick).len();
        }
        assert_eq!(of_quick, 5000, "the others' slowness is not its own");
        let told = heard(&mut slow);
        assert!(told.len() <= WAITING_MAX + 2, "{}", told.len());
        assert_eq!((told.first(), told.last()), (Some(&Heard::About(Key::of_item(1))), Some(&Heard::Lost)));
        all.announce(&Key::of_item(7));
        assert_eq!(heard(&mut slow), [Heard::About(Key::of_item(7))], "and it hears what comes next");
    }

    #[test]
    fn a_subscriber_that_went_away_is_forgotten() {
        let all = Subscribers::default();
        for _ in 0..100 {
            drop(all.subscribe());
        }
        assert_eq!(all.list().len(), 1, "whether or not anything is announced");
        all.announce(&Key::of_item(1));
        assert!(all.list().is_empty());
    }
}
