//! Which server of a cluster has which slots: slots that move, servers whose place another one takes, and what a client is told meanwhile.
//!
//! A slot that moves key by key is at both servers: a key that has moved, or is not there, is answered with `ASK` by the old one, and several
//! keys of which some have moved with `TRYAGAIN`. Once it has moved, each replica hears `MOVED` once. One that moves all at once is at the old
//! one until it is at the new one. (redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scenarios::MigrationWay;
use strategies::Key;
use strategies::counter::{SLOTS, slot_of};
use strategies::time::Mono;

/// What a slot takes that moves key by key: the words between the nodes, and ten keys a `MIGRATE`. Measured on loopback (systems.md S1.4: 1 000
/// slots with 20 000 keys of 100 B in 3.4 s; one slot with 20 000 keys in 1.2 s).
const SLOT: Duration = Duration::from_micros(1_500);
const TEN_KEYS: Duration = Duration::from_micros(600);
/// The same of slots that move all at once (ibid.: 1 000 slots in 0.10 s, 20 000 keys of one slot in 0.35 s, 200 000 in 1.2 s).
const AT_ONCE: Duration = Duration::from_millis(100);
const KEY_AT_ONCE: Duration = Duration::from_nanos(5_500);

/// What a client is told instead of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SentOn {
    Moved,
    Ask,
    TryAgain,
}

/// Where a command is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandPlace {
    /// Here.
    Here,
    /// By another server than the one that was asked.
    Elsewhere { asked: usize, what: SentOn },
    /// By none, now.
    Lost { until: Mono, silent: bool },
}

/// A slot that moves, or has moved.
#[derive(Debug, Clone, Copy)]
struct OnItsWay {
    from: usize,
    to: usize,
    begins: Mono,
    ends: Mono,
    how: MigrationWay,
}

#[derive(Debug, Clone, Copy)]
struct LostServer {
    until: Mono,
    /// It holds its connections and answers nothing.
    silent: bool,
}

/// The slots of a cluster, or of a server that stands alone.
#[derive(Debug)]
pub(crate) struct SlotTable {
    shards: usize,
    /// The slot in which all keys lie, where they lie in one.
    one: Option<u16>,
    /// Whether anything moves, has moved or is lost: what every command looks at.
    troubled: AtomicBool,
    state: Mutex<TableState>,
}

#[derive(Debug, Default)]
struct TableState {
    on_their_way: BTreeMap<u16, OnItsWay>,
    /// When each replica last heard who has which slots: it asks for all of them when it is told that one has moved.
    heard: BTreeMap<u16, Mono>,
    lost: BTreeMap<usize, LostServer>,
}

impl SlotTable {
    pub(crate) fn new(shards: usize, one_slot: bool) -> Self {
        let one = one_slot.then(|| slot_of("one"));
        Self { shards, one, troubled: AtomicBool::new(false), state: Mutex::default() }
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards
    }

    pub(crate) fn is_quiet(&self) -> bool {
        !self.troubled.load(Relaxed)
    }

    /// The slot of a key: all parts of an item lie together.
    pub(crate) fn slot(&self, key: &Key) -> u16 {
        self.one.unwrap_or_else(|| slot_of(key.whole().0))
    }

    /// Which server had a slot at the beginning.
    fn first_owner(&self, slot: u16) -> usize {
        usize::from(slot) * self.shards / usize::from(SLOTS)
    }

    /// Which server has a key.
    pub(crate) fn owner(&self, key: &Key, now: Mono) -> usize {
        if self.shards == 1 {
            return 0;
        }
        self.owner_of(self.slot(key), now)
    }

    fn owner_of(&self, slot: u16, now: Mono) -> usize {
        if self.is_quiet() {
            return self.first_owner(slot);
        }
        match self.state().on_their_way.get(&slot) {
            Some(way) if now >= way.ends => way.to,
            Some(way) => way.from,
            None => self.first_owner(slot),
        }
    }

    /// Slots begin to move: those that are named, or as many of the fullest server. `keys` says how many keys each has. When all have.
    pub(crate) fn migrate(
        &self,
        which: Result<u16, u32>,
        how: MigrationWay,
        now: Mono,
        keys: impl Fn(u16) -> u32,
    ) -> Option<Mono> {
        let mut of = vec![Vec::new(); self.shards];
        (0..SLOTS).for_each(|slot| of[self.owner_of(slot, now)].push(slot));
        let fullest = (0..self.shards).rev().max_by_key(|shard| of[*shard].len())?;
        let (from, slots) = match which {
            Ok(slot) => (self.owner_of(slot, now), vec![slot]),
            Err(count) => (fullest, of[fullest].iter().take(count as usize).copied().collect()),
        };
        let to = (0..self.shards).filter(|shard| *shard != from).min_by_key(|shard| of[*shard].len())?;
        let mut state = self.state();
        let all: u32 = slots.iter().map(|slot| keys(*slot)).sum();
        let mut at = now;
        for slot in slots {
            let (begins, ends) = match how {
                MigrationWay::Legacy => (at, at.plus(SLOT + TEN_KEYS * keys(slot).div_ceil(10))),
                MigrationWay::Atomic => (now, now.plus(AT_ONCE + KEY_AT_ONCE * all)),
            };
            at = ends;
            state.on_their_way.insert(slot, OnItsWay { from, to, begins, ends, how });
        }
        self.troubled.store(true, Relaxed);
        Some(at)
    }

    /// A server is gone for a time, or stands still.
    pub(crate) fn lose(&self, shard: usize, until: Mono, silent: bool) {
        let lost = LostServer { until, silent };
        // Of two times that overlap, the one that lasts longer decides.
        let longer = |before: &mut LostServer| *before = if before.until < until { lost } else { *before };
        self.state().lost.entry(shard).and_modify(longer).or_insert(lost);
        self.troubled.store(true, Relaxed);
    }

    /// Where a replica's command for keys of one slot is carried out. `is_there` says of a key whether there is one.
    pub(crate) fn place(&self, replica: u16, keys: &[Key], now: Mono, is_there: impl Fn(&Key) -> bool) -> CommandPlace {
        let Some(first) = keys.first() else { return CommandPlace::Here };
        let slot = self.slot(first);
        let owner = if self.shards == 1 { 0 } else { self.owner_of(slot, now) };
        let mut state = self.state();
        let way = state.on_their_way.get(&slot).copied();
        if let Some(lost) = state.lost.get(&owner).filter(|lost| now < lost.until) {
            return CommandPlace::Lost { until: lost.until, silent: lost.silent };
        }
        match way {
            Some(way) if now >= way.ends => {
                if state.heard.get(&replica).is_some_and(|heard| *heard >= way.ends) {
                    return CommandPlace::Here;
                }
                state.heard.insert(replica, now);
                CommandPlace::Elsewhere { asked: way.from, what: SentOn::Moved }
            }
            Some(way) if way.how == MigrationWay::Legacy && now >= way.begins => {
                let gone = |key: &Key| now >= way.moves_at(key) || !is_there(key);
                match keys.iter().filter(|key| gone(key)).count() {
                    0 => CommandPlace::Here,
                    all if all == keys.len() => CommandPlace::Elsewhere { asked: way.from, what: SentOn::Ask },
                    _ => CommandPlace::Elsewhere { asked: way.from, what: SentOn::TryAgain },
                }
            }
            _ => CommandPlace::Here,
        }
    }

    /// The same of a read that a replica answers: it sends nobody on while a slot moves, and goes on where its primary is lost.
    pub(crate) fn place_at_replica(&self, replica: u16, key: &Key, now: Mono) -> CommandPlace {
        let mut state = self.state();
        match state.on_their_way.get(&self.slot(key)).copied() {
            Some(way) if now >= way.ends && state.heard.get(&replica).is_none_or(|heard| *heard < way.ends) => {
                state.heard.insert(replica, now);
                CommandPlace::Elsewhere { asked: way.from, what: SentOn::Moved }
            }
            _ => CommandPlace::Here,
        }
    }

    /// Whether a key has moved whose slot is still on its way.
    pub(crate) fn has_gone(&self, key: &Key, now: Mono) -> bool {
        if self.is_quiet() {
            return false;
        }
        let way = self.state().on_their_way.get(&self.slot(key)).copied();
        way.is_some_and(|way| way.how == MigrationWay::Legacy && now < way.ends && now >= way.moves_at(key))
    }

    fn state(&self) -> MutexGuard<'_, TableState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnItsWay {
    /// When a key's turn comes: they come in no order that anybody knows.
    fn moves_at(&self, key: &Key) -> Mono {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        let hash = key.as_str().bytes().fold(0xCBF2_9CE4_8422_2325, mix);
        let hash = [0xFF51_AFD7_ED55_8CCD_u64, 0xC4CE_B9FE_1A85_EC53]
            .iter()
            .fold(hash ^ (hash >> 33), |hash, by| hash.wrapping_mul(*by) ^ (hash.wrapping_mul(*by) >> 33));
        let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
        self.begins.plus(self.ends.since(self.begins).mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_slot_that_moves_by_key_asks_for_what_has_gone_and_each_replica_hears_once_that_it_moved() {
        let table = SlotTable::new(3, false);
        let keys: Vec<Key> = (0..1000).map(|at| Key::of_item(7).part(at)).collect();
        let slot = slot_of("7");
        let from = table.owner(&keys[0], Mono(0));
        let ends = table.migrate(Ok(slot), MigrationWay::Legacy, Mono(0), |_| 1000).unwrap();
        assert_eq!(ends, Mono(61_500_000));
        let at = |ms: u64, key: &Key| table.place(0, std::slice::from_ref(key), Mono(ms * MS), |_| true);
        let asked = |ms| keys.iter().filter(|key| at(ms, key) != CommandPlace::Here).count();
        let half = asked(30);
        assert!((430..570).contains(&half), "{half} of a thousand have gone at half time");
        assert!(
            keys.iter().all(|key| matches!(
                at(30, key),
                CommandPlace::Here | CommandPlace::Elsewhere { what: SentOn::Ask, .. }
            ))
        );
        let two = [keys.iter().find(|key| at(30, key) == CommandPlace::Here).unwrap().clone(), keys[0].part(5000)];
        let again = table.place(0, &two, Mono(30 * MS), |key| *key == two[0]);
        assert_eq!(again, CommandPlace::Elsewhere { asked: from, what: SentOn::TryAgain });
        let moved = CommandPlace::Elsewhere { asked: from, what: SentOn::Moved };
        assert_eq!([at(62, &keys[0]), at(62, &keys[0])], [moved, CommandPlace::Here]);
        assert_eq!(table.place(1, &keys[..1], Mono(70 * MS), |_| true), moved, "the next replica has not heard");
        assert_ne!(table.owner(&keys[0], ends), from);
    }

    #[test]
    fn slots_that_move_at_once_are_where_they_were_until_they_are_not() {
        let table = SlotTable::new(3, false);
        let ends = table.migrate(Err(1000), MigrationWay::Atomic, Mono(0), |_| 20).unwrap();
        assert_eq!(ends, Mono(210 * MS));
        let of = |first: usize, now| (0..SLOTS).filter(|slot| table.owner_of(*slot, now) == first).count();
        let before = [0, 1, 2].map(|shard| of(shard, Mono(0)));
        let after = [0, 1, 2].map(|shard| of(shard, ends));
        assert_eq!(before.iter().max().unwrap() - after.iter().min().unwrap(), 1000);
        assert_eq!(before.iter().sum::<usize>(), after.iter().sum::<usize>());
    }

    #[test]
    fn a_server_that_is_lost_is_lost_to_its_own_keys() {
        let table = SlotTable::new(3, false);
        // The slots of `1`, `2` and `3` are 9842, 5649 and 1584.
        table.lose(1, Mono(5), true);
        let place = |item, now| table.place(0, &[Key::of_item(item)], Mono(now), |_| true);
        assert_eq!(place(1, 4), CommandPlace::Lost { until: Mono(5), silent: true });
        assert_eq!([place(1, 5), place(3, 4)], [CommandPlace::Here, CommandPlace::Here]);
    }
}
