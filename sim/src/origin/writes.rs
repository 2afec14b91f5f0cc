//! Writes at the simulated origin, and its ledger of them.

use std::sync::Arc;

use evidence::{OriginWrite, ReadEnd};
use strategies::Key;
use strategies::port::{LoadCx, Loaded};

use super::{Refusal, SimOrigin};

impl SimOrigin {
    /// The ledger of writes, which is empty from then on.
    #[must_use]
    pub fn take_writes(&self) -> Vec<OriginWrite> {
        std::mem::take(&mut self.state().writes)
    }

    /// Whether writes are under way.
    pub(crate) fn is_writing(&self) -> bool {
        self.state().writes.iter().any(|write| write.end_ns.is_none())
    }

    pub(super) fn arrive_write(&self, key: &Key, cx: LoadCx) -> usize {
        let (flight, now) = (cx.flight.to_string(), self.world.now().0);
        let mut state = self.state();
        state.writes.push(OriginWrite::arrived(key.as_str(), &flight, Some(cx.replica.into()), now));
        state.writes.len() - 1
    }

    /// A write, from its arrival to its end: it takes a place like a read, and is committed at the end of its service time.
    pub(super) async fn write(&self, row: usize, key: &Key) -> Result<Loaded, Refusal> {
        let answer = self.change(row, key).await;
        let outcome = match &answer {
            Ok(Loaded { value: Some(_), .. }) => ReadEnd::Ok,
            Ok(_) => ReadEnd::Missing,
            Err(Refusal::Full) => ReadEnd::Rejected,
            Err(Refusal::Failing) => ReadEnd::Failed,
        };
        let now = self.world.now().0;
        self.note(row, |write| write.end(outcome, now));
        answer
    }

    async fn change(&self, row: usize, key: &Key) -> Result<Loaded, Refusal> {
        self.begin().await?;
        let begun = self.world.now();
        self.note(row, |write| write.start_ns = Some(begun.0));
        self.world.sleep(self.service_time(self.write_model, begun)).await;
        let now = self.world.now();
        if let Some(number) = self.number(key) {
            *self.state().written.entry(number).or_default() += 1;
            let version = self.version(number, now);
            if let Some(watcher) = self.commits.get() {
                watcher(key, version);
            }
            self.note(row, |write| {
                (write.commit_began_ns, write.committed_ns, write.version) = (Some(now.0), Some(now.0), Some(version));
            });
        }
        let item = self.select(key, now);
        self.free_place();
        Ok(item)
    }

    /// Writes something into a write's row.
    fn note(&self, row: usize, note: impl FnOnce(&mut OriginWrite)) {
        if let Some(write) = self.state().writes.get_mut(row) {
            note(write);
        }
    }
}

/// Marks a write whose caller is gone: dropped before the write was over.
pub(super) struct Gone {
    pub(super) origin: Arc<SimOrigin>,
    pub(super) row: usize,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.origin.note(self.row, OriginWrite::abandon);
    }
}
