//! What a shared cache can do beyond keeping entries.

/// Beyond get, put and remove. A strategy that needs more than its cache can is refused when it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It keeps leases.
    pub leases: bool,
    /// It puts on a condition: a lease's token, or a version that is not older.
    pub conditions: bool,
    /// It carries messages between replicas.
    pub messages: bool,
    /// It tells of changes from one place: it has a stream that all replicas read, and pushes every key that is written. The keys of a
    /// cluster lie on several servers.
    pub one_place: bool,
    /// Its keys have replicas that answer reads: those of a cluster.
    pub replicas: bool,
    /// It knows `INCREX`: an increment that also gives an end to a counter which has none (Redis 8.8).
    pub increx: bool,
}

impl Capabilities {
    /// What one server can: the memory cache, and Redis from 8.8 on.
    pub const ONE_SERVER: Self =
        Self { leases: true, conditions: true, messages: true, one_place: true, replicas: false, increx: true };

    /// Nothing of it.
    pub const NONE: Self =
        Self { leases: false, conditions: false, messages: false, one_place: false, replicas: false, increx: false };

    /// What either of the two needs.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            leases: self.leases || other.leases,
            conditions: self.conditions || other.conditions,
            messages: self.messages || other.messages,
            one_place: self.one_place || other.one_place,
            replicas: self.replicas || other.replicas,
            increx: self.increx || other.increx,
        }
    }

    /// The first of these that is needed and not there, for people.
    #[must_use]
    pub fn lacks(self, needed: Self) -> Option<&'static str> {
        [
            (needed.leases && !self.leases, "leases"),
            (needed.conditions && !self.conditions, "puts on a condition"),
            (needed.messages && !self.messages, "messages between replicas"),
            (
                needed.one_place && !self.one_place,
                "changes told by one server (near with invalidate=pubsub does without)",
            ),
            (needed.replicas && !self.replicas, "replicas that answer reads, as a cluster has"),
            (needed.increx && !self.increx, "the command INCREX (Redis 8.8 and later)"),
        ]
        .into_iter()
        .find_map(|(lacks, what)| lacks.then_some(what))
    }
}
