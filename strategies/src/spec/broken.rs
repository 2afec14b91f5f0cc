//! Wrong on purpose: public mistakes, kept runnable by name (`broken-…`) and labelled wrong wherever they appear.
//!
//! Each is a composition of the right layers with one flaw in it, so that what it does differently is the flaw's doing.

/// What is wrong with a broken strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// XFetch with the sign of its logarithm turned.
    SignTurned,
    /// The winner of the lock loads without looking into the cache again.
    NoReread,
    /// Losers of the lock load, too.
    LosersLoad,
    /// The lock is deleted, no matter which replica holds it.
    ReleasesAnybodys,
    /// The lock never ends by itself.
    NoTtl,
    /// The flight runs in the first caller's own future.
    CallersFlight,
    /// The lease's put is not fenced.
    Unfenced,
    /// Stale values are served past their hard life.
    StaleForEver,
    /// Only refreshes take the lock: a caller that has nothing to serve loads at once.
    UnprotectedFill,
}

/// A broken strategy, for people.
#[derive(Debug, Clone, Copy)]
pub struct BrokenInfo {
    /// Its name.
    pub name: &'static str,
    /// What it would be without its flaw.
    pub composition: &'static str,
    /// Its flaw.
    pub flaw: Flaw,
    /// What that does, in a line.
    pub reason: &'static str,
    /// The public mistake that it repeats.
    pub mistake: &'static str,
}

/// Every broken strategy.
pub const BROKEN: &[BrokenInfo] = &[
    BrokenInfo {
        name: "broken-xfetch-sign",
        composition: "xfetch + lock",
        flaw: Flaw::SignTurned,
        reason: "it never fires: ln(u) is negative, so adding δ·β·ln(u) moves away from the expiry",
        mistake: "copies of the formula that drop the minus in front of δ·β·ln(u)",
    },
    BrokenInfo {
        name: "broken-lock-no-reread",
        composition: "plain + lock",
        flaw: Flaw::NoReread,
        reason: "those who wait for the lock rebuild one after the other: a queue instead of a herd",
        mistake: "\"acquire, then compute\" without a second look, as in most lock snippets",
    },
    BrokenInfo {
        name: "broken-losers-load",
        composition: "plain + lock(wait=0s, on_timeout=load)",
        flaw: Flaw::LosersLoad,
        reason: "the lock is taken and protects nothing: losers read the origin at once",
        mistake: "falling through to the database where SET NX says no",
    },
    BrokenInfo {
        name: "broken-release-anybodys",
        composition: "plain + lock",
        flaw: Flaw::ReleasesAnybodys,
        reason: "a slow holder deletes its successor's lock, and a third one starts beside them",
        mistake: "DEL lock in a finally block without comparing the owner, as in both articles",
    },
    BrokenInfo {
        name: "broken-lock-no-ttl",
        composition: "plain + lock",
        flaw: Flaw::NoTtl,
        reason: "a holder that dies leaves a lock that nobody can take: every later request is shed",
        mistake: "SETNX without EX, or EX in a second command that never comes",
    },
    BrokenInfo {
        name: "broken-callers-flight",
        composition: "plain + coalesce",
        flaw: Flaw::CallersFlight,
        reason: "when the first caller goes away, the flight goes with it and its followers fail",
        mistake: "single-flight that runs in the first request's own future or context",
    },
    BrokenInfo {
        name: "broken-unfenced-lease",
        composition: "plain + lease",
        flaw: Flaw::Unfenced,
        reason: "a holder that was frozen past its lease puts an old value over a new one",
        mistake: "a plain SET after a lock that may be lost, as in the APEE-LRM article",
    },
    BrokenInfo {
        name: "broken-stale-for-ever",
        composition: "swr(stale=1s) + lock",
        flaw: Flaw::StaleForEver,
        reason: "values are served past their hard life, for as long as the cache has them",
        mistake: "stale-while-revalidate that checks the soft TTL only",
    },
    BrokenInfo {
        name: "broken-swr-unprotected-fill",
        composition: "swr + lock",
        flaw: Flaw::UnprotectedFill,
        reason: "one refreshes what is stale, and everybody fills what is not there: a new key, a cleared cache",
        mistake: "stale-while-revalidate whose lock stands around the refresh only, as in Laravel's Cache::flexible",
    },
];
