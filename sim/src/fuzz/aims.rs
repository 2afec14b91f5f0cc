//! Faults that wait for an increment: they hit between a command's effect and its reply.

use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use strategies::Key;

/// Those that wait.
#[derive(Clone, Default)]
pub(super) struct Aims(Arc<Mutex<Vec<Aim>>>);

/// One that waits for a replica's next command on this counter.
struct Aim {
    at: Key,
    tell: oneshot::Sender<u16>,
}

impl Aims {
    /// The replica whose command on this counter takes effect next.
    pub(super) fn next(&self, key: Key) -> oneshot::Receiver<u16> {
        let (tell, told) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Aim { at: key, tell });
        told
    }

    /// A replica's command on a counter takes effect.
    pub(super) fn hit(&self, key: &Key, replica: u16) {
        let mut aims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for aim in aims.extract_if(.., |aim| aim.at == *key) {
            let _ = aim.tell.send(replica);
        }
    }
}
