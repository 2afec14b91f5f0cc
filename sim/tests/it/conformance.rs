//! The memory cache against the contract of every cache, in virtual time.

use std::sync::Arc;

use sim::{MemoryCache, World};
use strategies::conformance::Subject;

#[test]
fn the_memory_cache_keeps_the_contract() {
    let world = World::new();
    let clock = world.clock(0);
    let memory = Arc::new(MemoryCache::new(clock.clone()));
    let (cache, lease, wake) = (memory.clone(), memory.clone(), memory.clone());
    let subject = Subject { cache, lease, wake, seize: memory, clock, prefix: "contract".into() };
    assert_eq!(world.run(subject.check_all()), Some(()));
}
