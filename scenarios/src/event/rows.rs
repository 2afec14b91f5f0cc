//! What can be done to a fleet: one row an action. A new one is its row here, and an arm where each lab that can do it acts
//! (`sim/src/chaos.rs`, `loadgen/src/lab/faults/`).

use super::target::ReplicaTarget;
use super::trouble::Trouble;

/// An action, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// The entry of one key ends now; of every key, if there is none.
    Expire,
    /// The cache loses all it holds, locks included.
    Flush,
    /// Origin reads take `factor` times their service time.
    OriginSlow,
    /// Origin reads fail at once.
    OriginFail,
    /// The origin accepts reads and answers none.
    OriginPause,
    /// The cache is gone: connections are refused, and what it held is lost.
    CacheStop,
    /// The cache holds its connections and answers nothing.
    CachePause,
    /// The cache stops and starts again at once, empty.
    CacheRestart,
    /// Every cache operation takes longer.
    CacheLatency,
    /// The link between a replica, or every replica, and the cache is cut.
    NetworkCut,
    /// The connection on which a replica, or every replica, hears of changes is cut.
    SubscriberCut,
    /// The primary that has a key dies, or stands still for a while, and its replica takes its place; the simulator's has no replica, and
    /// only its connections end, with what it tracked for them.
    CacheFailover,
    /// Slots of a cluster move from the node that has most of them to the one that has fewest.
    ClusterMigrate,
    /// A replica dies without a word, and stays dead until it is restarted.
    ReplicaKill,
    /// A replica stands still and does not know it.
    ReplicaPause,
    /// A replica is started anew: a new incarnation, with nothing in memory.
    ReplicaRestart,
    /// The server writes its append-only file anew.
    CacheRewriteAof,
    /// The server saves a snapshot.
    CacheSave,
    /// So many more keys lie in the server's memory, until the strategy's run is over.
    CacheGrow,
    /// The server's memory is full, and it throws nothing out: it refuses writes.
    CacheFull,
    /// The server takes no new client.
    CacheClients,
    /// Every connection to the server ends.
    CacheReset,
}

/// A field that some actions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionField {
    /// `for`: how long it lasts.
    For,
    /// `factor`: how many times longer.
    Factor,
    /// `add`: how much longer.
    Add,
    /// `share`: of how many; of all where absent.
    Share,
    /// `key`: which key; every key where absent.
    Key,
    /// `target`: which replica; where absent every one, or replica 0 where only one can be meant.
    Target,
    /// `keys`: how many.
    Keys,
    /// `slots`: how many.
    Slots,
    /// `how`: in which way.
    How,
}

impl ActionField {
    /// Every one, in the order in which they are written.
    pub const ALL: [Self; 9] =
        [Self::Key, Self::Keys, Self::Slots, Self::How, Self::Target, Self::Factor, Self::Share, Self::Add, Self::For];

    /// Its name in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Factor => "factor",
            Self::Add => "add",
            Self::Share => "share",
            Self::Key => "key",
            Self::Target => "target",
            Self::Keys => "keys",
            Self::Slots => "slots",
            Self::How => "how",
        }
    }
}

/// What a lab needs to make it happen. The simulator can do all but what needs a real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// An origin that the lab controls.
    Origin,
    /// A cache that the lab controls.
    Cache,
    /// A real Redis that the generator reaches itself: the local lab's own, or one that is given. What it does has no model.
    Server,
    /// A Redis that the lab started itself, for its settings and its clients are concerned.
    OwnServer,
    /// The same, or the simulator, which has a model of it.
    OwnServerOrModel,
    /// A cluster that the lab started itself, or a simulated one.
    OwnCluster,
    /// The same, or a server with a standby that the lab started itself, or the simulator.
    OwnStandby,
    /// Containers.
    Containers,
    /// A container that is the whole cache.
    CacheContainer,
}

impl Needs {
    /// Whether it is about a Redis that the generator reaches itself.
    #[must_use]
    pub fn is_server(self) -> bool {
        matches!(self, Self::Server | Self::OwnServer | Self::OwnServerOrModel) || self.is_of_nodes()
    }

    /// Whether it is about servers that take each other's place.
    #[must_use]
    pub fn is_of_nodes(self) -> bool {
        matches!(self, Self::OwnCluster | Self::OwnStandby)
    }

    /// Whether the simulator can do it.
    #[must_use]
    pub fn has_model(self) -> bool {
        !matches!(self, Self::Server | Self::OwnServer)
    }
}

/// How what lasts comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It does not last.
    AtOnce,
    /// By itself: the part was told how long.
    ByItself,
    /// The lab undoes it.
    ByTheLab,
    /// When the lab sees that it is over.
    WhenSeen,
}

/// How slots of a cluster move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MigrationWay {
    /// Key by key: `MIGRATE`, as every version can.
    #[default]
    Legacy,
    /// All at once: Valkey 9 and Redis 8.4.
    Atomic,
}

impl MigrationWay {
    /// Each with its word.
    pub const WORDS: [(&'static str, Self); 2] = [("legacy", Self::Legacy), ("atomic", Self::Atomic)];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Atomic => "atomic",
        }
    }
}

/// All that there is to say about an action.
#[derive(Debug, Clone, Copy)]
pub struct ActionRow {
    /// Which.
    pub kind: ActionKind,
    /// Its word after `do`.
    pub word: &'static str,
    /// The fields that it needs.
    pub needs: &'static [ActionField],
    /// The fields that it takes besides.
    pub takes: &'static [ActionField],
    /// The replica that is meant where none is named; `None` for all of them.
    pub target: Option<ReplicaTarget>,
    /// Where it can happen.
    pub lab: Needs,
    /// How it ends.
    pub ends: Ends,
    /// What it is to whatever judges the run.
    pub trouble: Trouble,
    /// What is told when it has happened. In braces its fields, and `{replica}` for the one that it hit.
    pub says: &'static str,
}

const FIRST: Option<ReplicaTarget> = Some(ReplicaTarget::Replica(0));

const fn row(kind: ActionKind, word: &'static str, lab: Needs, trouble: Trouble, says: &'static str) -> ActionRow {
    ActionRow { kind, word, needs: &[], takes: &[], target: None, lab, ends: Ends::AtOnce, trouble, says }
}

impl ActionRow {
    const fn lasting(mut self, ends: Ends, needs: &'static [ActionField]) -> Self {
        (self.ends, self.needs) = (ends, needs);
        self
    }

    const fn needing(mut self, needs: &'static [ActionField]) -> Self {
        self.needs = needs;
        self
    }

    const fn taking(mut self, fields: &'static [ActionField]) -> Self {
        self.takes = fields;
        self
    }

    const fn at(mut self, target: Option<ReplicaTarget>) -> Self {
        (self.takes, self.target) = (&[Target], target);
        self
    }

    /// Whether it takes a field.
    #[must_use]
    pub fn has(&self, field: ActionField) -> bool {
        self.needs.contains(&field) || self.takes.contains(&field)
    }
}

use ActionField::{Add, Factor, For, How, Key, Keys, Share, Slots, Target};
use ActionKind as K;
use Trouble as T;

/// Every action.
pub const ACTIONS: [ActionRow; 22] = [
    row(K::Expire, "expire", Needs::Cache, T::CacheEmptied, "expire {key}").taking(&[Key]),
    row(K::Flush, "flush", Needs::Cache, T::CacheEmptied, "flush"),
    row(K::OriginSlow, "origin-slow", Needs::Origin, T::OriginSlow, "origin slow ×{factor} for {for}")
        .lasting(Ends::ByItself, &[Factor, For]),
    row(K::OriginFail, "origin-fail", Needs::Origin, T::OriginFails, "origin fails for {for}")
        .lasting(Ends::ByItself, &[For]),
    row(K::OriginPause, "origin-pause", Needs::Origin, T::OriginPaused, "origin paused for {for}")
        .lasting(Ends::ByItself, &[For]),
    row(K::CacheStop, "cache-stop", Needs::CacheContainer, T::CacheLost, "cache stopped for {for}")
        .lasting(Ends::ByTheLab, &[For]),
    row(K::CachePause, "cache-pause", Needs::CacheContainer, T::CachePaused, "cache paused for {for}")
        .lasting(Ends::ByTheLab, &[For]),
    row(K::CacheRestart, "cache-restart", Needs::CacheContainer, T::CacheLost, "cache restarted, empty"),
    row(
        K::CacheLatency,
        "cache-latency",
        Needs::CacheContainer,
        T::CacheSlow,
        "cache slower by {add} for {for}{share}",
    )
    .lasting(Ends::ByTheLab, &[Add, For])
    .taking(&[Share]),
    row(K::NetworkCut, "network-cut", Needs::Containers, T::CutThere, "{replica} cut off from the cache for {for}")
        .lasting(Ends::ByTheLab, &[For])
        .at(None),
    row(K::SubscriberCut, "subscriber-cut", Needs::Cache, T::SubscriberCut, "{replica} hears of no changes for {for}")
        .lasting(Ends::ByItself, &[For])
        .at(None),
    row(K::CacheFailover, "cache-failover", Needs::OwnStandby, T::ServerLost, "primary of key {key} lost{for}")
        .lasting(Ends::WhenSeen, &[])
        .taking(&[Key, For]),
    row(K::ClusterMigrate, "cluster-migrate", Needs::OwnCluster, T::SlotsMove, "{slots}{key} moves, {how}")
        .lasting(Ends::WhenSeen, &[])
        .taking(&[Key, Slots, How]),
    row(K::ReplicaKill, "replica-kill", Needs::Containers, T::Crash, "{replica} killed").at(FIRST),
    row(K::ReplicaPause, "replica-pause", Needs::Containers, T::Freeze, "{replica} paused for {for}")
        .lasting(Ends::ByTheLab, &[For])
        .at(FIRST),
    row(K::ReplicaRestart, "replica-restart", Needs::Containers, T::Crash, "{replica} restarted").at(FIRST),
    row(K::CacheRewriteAof, "cache-rewrite-aof", Needs::Server, T::CacheSlow, "cache rewrites its append-only file"),
    row(K::CacheSave, "cache-save", Needs::Server, T::CacheSlow, "cache saves a snapshot"),
    row(K::CacheGrow, "cache-grow", Needs::Server, T::CacheSlow, "cache grows by {keys} keys").needing(&[Keys]),
    row(
        K::CacheFull,
        "cache-full",
        Needs::OwnServerOrModel,
        T::CacheRefuses,
        "cache full, and refuses writes for {for}",
    )
    .lasting(Ends::ByTheLab, &[For]),
    row(K::CacheClients, "cache-clients", Needs::OwnServer, T::CutThere, "cache takes no new client for {for}")
        .lasting(Ends::ByTheLab, &[For]),
    row(K::CacheReset, "cache-reset", Needs::OwnServer, T::CutThere, "every connection to the cache ended"),
];

impl ActionKind {
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static ActionRow {
        let at = self as usize;
        // The test below holds that the rows stand in the order of the names.
        #[allow(clippy::indexing_slicing, reason = "as many rows as names")]
        &ACTIONS[at]
    }

    /// The one of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.word == word).map(|row| row.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_its_row_and_says_no_field_that_it_has_not() {
        for (at, row) in ACTIONS.iter().enumerate() {
            assert_eq!(row.kind as usize, at, "{}", row.word);
            assert_eq!(row.kind.row().word, row.word);
            assert!(row.has(For) == (row.ends != Ends::AtOnce) || row.ends == Ends::WhenSeen, "{}", row.word);
            for (field, name) in [
                (For, "{for}"),
                (Factor, "{factor}"),
                (Add, "{add}"),
                (Share, "{share}"),
                (Key, "{key}"),
                (Keys, "{keys}"),
                (Slots, "{slots}"),
                (How, "{how}"),
                (Target, "{replica}"),
            ] {
                assert_eq!(row.says.contains(name), row.has(field), "{} {name}", row.word);
            }
        }
    }

    #[test]
    fn the_docs_have_each_action_with_its_fields() {
        let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events.md")).unwrap();
        for row in &ACTIONS {
            let line = docs.lines().find(|line| line.starts_with(&format!("| `{}` |", row.word)));
            let line = line.unwrap_or_else(|| panic!("docs/events.md has no row for {}", row.word));
            let fields = line.split('|').nth(2).unwrap();
            for field in ActionField::ALL {
                assert_eq!(
                    fields.contains(&format!("`{}`", field.name())),
                    row.has(field),
                    "{}: {}",
                    row.word,
                    field.name()
                );
            }
            let everywhere = matches!(row.lab, Needs::Cache | Needs::Origin);
            assert_eq!(line.split('|').nth(4).unwrap().trim() == "yes", everywhere, "{}", row.word);
        }
    }
}
