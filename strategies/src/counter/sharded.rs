//! `sharded(n=10, tags=hash|even)`: a counter in n keys, of which each increment takes one by a draw of its own.
//!
//! By hash the n keys fall on the shards of a cluster as balls into bins; with even tags key i lies in the i-th n-th of the slots, so that
//! each of S shards that share the slots evenly has n/S of them, one more or one less. What an increment is told is n times its own key's
//! value: the sum of all would cost n reads and be of no single moment. Each key has a window of its own, so the sum's is blurred by up to T.

use std::sync::Arc;

use super::layer::{
    CountAnswer, CountError, CounterInfo, CounterLayer, CounterPart, CounterTerm, Increments, LayerPorts, ToldCount,
};
use super::slots::{SLOTS, slot_of};
use crate::port::BoxFuture;
use crate::port::key::Key;
use crate::rng::Rng;
use crate::spec::{ParamInfo, Range};

/// Its row.
pub(crate) const SHARDED: CounterInfo = CounterInfo {
    name: "sharded",
    part: CounterPart::Around,
    summary: "n sub-keys, of which each increment takes one: a hot counter's load on several shards of a cluster",
    params: &[
        ParamInfo { name: "n", default: "10", what: "how many sub-keys", range: Range::Count(1, 1000) },
        ParamInfo {
            name: "tags",
            default: "hash",
            what: "hash (the sub-keys fall where their hash does) or even (evenly over the slots)",
            range: Range::Word(&["hash", "even"]),
        },
    ],
    make: |args| {
        let (n, even) = (args.count("n")?, args.word("tags", &[false, true])?);
        Ok(CounterTerm::Around(Arc::new(ShardSettings { n, even })))
    },
};

#[derive(Debug, Clone, Copy)]
struct ShardSettings {
    n: u32,
    even: bool,
}

impl ShardSettings {
    /// The sub-key with this number. The cache uses a key's text as its hash tag.
    fn sub_key(self, key: &Key, number: u32) -> Option<Key> {
        if !self.even {
            return Key::new(&format!("{key}:{number}")).ok();
        }
        let slots = u64::from(SLOTS);
        let wanted = |slot: u16| u64::from(slot) * u64::from(self.n) / slots == u64::from(number);
        // Each try hits with probability 1/n: of so many none does once in 10^17.
        let tries = (0..self.n * 40).map(|at| format!("{key}:{number}.{at}"));
        tries.filter(|text| wanted(slot_of(text))).find_map(|text| Key::new(&text).ok())
    }
}

impl CounterLayer for ShardSettings {
    fn around(&self, inner: Arc<dyn Increments>, ports: &LayerPorts) -> Arc<dyn Increments> {
        Arc::new(Sharded { settings: *self, inner, rng: ports.rng.fork("shard") })
    }

    fn parts(&self) -> u32 {
        self.n
    }

    fn keys(&self, key: &Key) -> Vec<Key> {
        (0..self.n).map(|number| self.sub_key(key, number).unwrap_or_else(|| key.clone())).collect()
    }
}

struct Sharded {
    settings: ShardSettings,
    inner: Arc<dyn Increments>,
    rng: Rng,
}

impl Increments for Sharded {
    fn count<'a>(&'a self, key: &'a Key, by: i64) -> BoxFuture<'a, Result<CountAnswer, CountError>> {
        let n = self.settings.n;
        let number = ((u128::from(self.rng.next_u64()) * u128::from(n)) >> 64) as u32;
        Box::pin(async move {
            // A key that leaves no room for a number is counted in one.
            let Some(sub_key) = self.settings.sub_key(key, number) else { return self.inner.count(key, by).await };
            let counted = self.inner.count(&sub_key, by).await?;
            let told = counted.told.map(|told| ToldCount { part: number, ..told });
            Ok(CountAnswer { value: counted.value.saturating_mul(u64::from(n)), told })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_tags_lie_in_their_nth_of_the_slots_and_by_hash_they_do_not() {
        for (n, shards) in [(6_u32, 3_u32), (10, 6), (100, 3), (100, 7), (1000, 10)] {
            for item in [1, 7, 4_294_967_295] {
                let per_shard = |even| {
                    let mut counts = vec![0_u32; shards as usize];
                    for key in (ShardSettings { n, even }).keys(&Key::of_item(item)) {
                        let shard = u32::from(slot_of(key.as_str())) * shards / u32::from(SLOTS);
                        counts[shard as usize] += 1;
                    }
                    assert_eq!(counts.iter().sum::<u32>(), n);
                    (*counts.iter().min().unwrap(), *counts.iter().max().unwrap())
                };
                let (least, most) = per_shard(true);
                assert!(least + 1 >= n / shards && most <= n.div_ceil(shards) + 1, "n = {n}: {least} to {most}");
                if n >= 100 {
                    let (least, most) = per_shard(false);
                    assert!(most - least > 2, "by hash: n = {n}: {least} to {most}");
                }
            }
        }
    }

    #[test]
    fn sub_keys_are_different_keys_and_always_the_same_ones() {
        for even in [false, true] {
            let keys = (ShardSettings { n: 50, even }).keys(&Key::of_item(3));
            let different: std::collections::BTreeSet<&Key> = keys.iter().collect();
            assert_eq!(different.len(), 50);
            assert_eq!(keys, (ShardSettings { n: 50, even }).keys(&Key::of_item(3)));
        }
    }
}
