//! `parts`: an item in several keys of the shared cache, so that what wants a part of it need not read all.
//!
//! The keys have one hash tag, so a cluster keeps them together. A put writes each of them by a command of its own, and a read asks for
//! those that it wants by one (`MGET`). So a read between two writes may find parts of different versions: a torn read. It is counted, and
//! taken for a miss; a service that does not compare versions answers with it.

mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use futures_util::future::try_join_all;

pub(crate) use settings::PartsLayer;

use crate::kit::rng::Rng;
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Level, Lookup, Removal, Stored, When};
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const PARTS: LayerInfo = LayerInfo {
    name: "parts",
    slot: Slot::Cache,
    summary: "an item in several keys, read by one MGET; a request may want some of them only",
    params: &[
        ParamInfo { name: "n", default: "3", what: "parts of each item", range: Range::Count(2, 100) },
        ParamInfo {
            name: "read",
            default: "all",
            what: "how many of them a request reads: which ones is drawn each time",
            range: Range::AllOrCount(1, 100),
        },
    ],
    make: |args| {
        let n = args.count("n")?;
        let read = args.all_or_count("read")?.unwrap_or(n);
        if read > n {
            return Err(format!("parts has read={read}, and an item has {n}; write read={n} or less, or raise n"));
        }
        Ok(Layer::Parts(PartsLayer { n, read }))
    },
};

/// What a stack knows of its items' parts.
#[derive(Clone, Default)]
pub(crate) struct PartsRead {
    /// Whether a value that came from the cache is a part of the item.
    pub(crate) some_only: bool,
    torn: Arc<AtomicU64>,
}

impl PartsRead {
    /// Reads that found parts of different versions.
    pub(crate) fn torn(&self) -> u64 {
        self.torn.load(Relaxed)
    }
}

impl PartsLayer {
    /// Puts it around the cache of these ports.
    pub(crate) fn around(self, ports: &mut Ports) -> PartsRead {
        let told = PartsRead { some_only: self.read < self.n, torn: Arc::default() };
        let (inner, rng) = (Arc::clone(&ports.cache), ports.rng.fork("parts"));
        ports.cache = Arc::new(InParts { inner, layer: self, rng, torn: Arc::clone(&told.torn) });
        told
    }
}

struct InParts {
    inner: Arc<dyn Cache>,
    layer: PartsLayer,
    rng: Rng,
    torn: Arc<AtomicU64>,
}

impl InParts {
    /// The keys of the parts that one request reads.
    fn wanted(&self, key: &Key) -> Vec<Key> {
        let PartsLayer { n, read } = self.layer;
        let first = if read == n { 0 } else { ((u128::from(self.rng.next_u64()) * u128::from(n)) >> 64) as u32 };
        (0..read).map(|at| key.part((first + at) % n)).collect()
    }

    /// What parts are together.
    fn together(&self, parts: &[Lookup]) -> Lookup {
        let mut found: Vec<&Entry> = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Lookup::Found(entry, _) => found.push(entry),
                Lookup::Absent => return Lookup::Absent,
                Lookup::Corrupt => return Lookup::Corrupt,
            }
        }
        let Some(first) = found.iter().min_by_key(|entry| entry.expiry()) else { return Lookup::Absent };
        if found.iter().any(|entry| entry.version != first.version) {
            self.torn.fetch_add(1, Relaxed);
            return Lookup::Absent;
        }
        let value = match &found[..] {
            [only] => only.value.clone(),
            _ => found
                .iter()
                .map(|entry| entry.value.as_deref())
                .collect::<Option<Vec<&[u8]>>>()
                .map(|all| all.concat().into()),
        };
        Lookup::Found(Entry { value, ..(*first).clone() }, Level::Shared)
    }

    /// An item's parts, under their keys.
    fn apart(&self, key: &Key, entry: &Entry) -> Vec<(Key, Entry)> {
        let of = |value: &Bytes, at: usize| {
            let each = value.len().div_ceil(self.layer.n as usize);
            value.slice((each * at).min(value.len())..(each * (at + 1)).min(value.len()))
        };
        let part = |at: u32| {
            let value = entry.value.as_ref().map(|value| of(value, at as usize));
            (key.part(at), Entry { value, ..entry.clone() })
        };
        (0..self.layer.n).map(part).collect()
    }
}

impl Cache for InParts {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move { Ok(self.together(&self.inner.get_many(&self.wanted(key)).await?)) })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        Box::pin(async move {
            let wanted: Vec<Key> = keys.iter().flat_map(|key| self.wanted(key)).collect();
            let parts = self.inner.get_many(&wanted).await?;
            Ok(parts.chunks(self.layer.read as usize).map(|parts| self.together(parts)).collect())
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let parts = self.apart(key, entry);
            let stored = try_join_all(parts.iter().map(|(key, part)| self.inner.put(key, part, when))).await?;
            Ok(if stored.contains(&Stored::Fenced) { Stored::Fenced } else { Stored::Stored })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            // Without its first part an item is not there, and without its lease nobody stores the others anew.
            self.inner.remove(key, what).await?;
            let others: Vec<Key> = (1..self.layer.n).map(|at| key.part(at)).collect();
            try_join_all(others.iter().map(|key| self.inner.remove(key, Removal::Entry))).await.map(|_| ())
        })
    }
}
