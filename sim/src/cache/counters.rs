//! The memory cache's counters, and each replica's way to them.

use strategies::Key;
use strategies::port::{BoxFuture, CacheError, CounterCommand, CounterServer, HeldCounter};

use crate::cache::memory::MemoryCache;
use crate::cache::{CachePort, Effect};

impl MemoryCache {
    /// What it holds of a counter now.
    #[must_use]
    pub fn counter(&self, key: &Key) -> Option<HeldCounter> {
        self.counters.look(key, self.clock.mono())
    }

    /// Carries out a command on a counter at once.
    pub fn act_on_counter(&self, key: &Key, command: CounterCommand) -> Option<i64> {
        self.counters.act(key, command, self.clock.mono())
    }
}

impl CounterServer for MemoryCache {
    fn command<'a>(&'a self, key: &'a Key, command: CounterCommand) -> BoxFuture<'a, Result<Option<i64>, CacheError>> {
        Box::pin(async move { Ok(self.act_on_counter(key, command)) })
    }

    fn look<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<HeldCounter>, CacheError>> {
        Box::pin(async move { Ok(self.counter(key)) })
    }
}

impl CounterServer for CachePort {
    fn command<'a>(&'a self, key: &'a Key, command: CounterCommand) -> BoxFuture<'a, Result<Option<i64>, CacheError>> {
        let (of, key, replica) = (key, key.clone(), self.replica);
        let needs_memory = !matches!(command, CounterCommand::Read | CounterCommand::Expire(_));
        Box::pin(self.write(needs_memory, (of, 0), move |server| {
            server.tell(replica, || Effect::Counted(key.clone(), command, server.memory().counter(&key)));
            server.memory().act_on_counter(&key, command)
        }))
    }

    fn look<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<HeldCounter>, CacheError>> {
        let (of, key) = (key, key.clone());
        Box::pin(self.write(false, (of, 0), move |server| server.memory().counter(&key)))
    }
}
