//! Locks in the shared cache: one holder per key and fleet, for a time.

use std::fmt;
use std::time::Duration;

use super::{BoxFuture, CacheError};
use crate::port::key::Key;

/// What a holder proves its ownership with: unique per attempt.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u128);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// What an attempt to acquire found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    /// The caller holds the key now (perhaps already since an attempt whose reply was lost).
    Won,
    /// Somebody else holds it.
    Held,
}

/// What a renewal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// The caller holds the key for the whole life again.
    Renewed,
    /// The caller holds it no longer.
    NotOwner,
}

/// What a release found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// The caller held the key and has let go of it.
    Released,
    /// The caller held it no longer; its present holder is left alone.
    NotOwner,
}

/// Leases on keys, kept where all replicas see them.
pub trait Lease: Send + Sync {
    /// Takes the key for `life`, unless somebody else holds it. Idempotent by token: asked again with the token that
    /// holds the key it answers [`Acquired::Won`] and leaves the remaining life as it is, so that a reply lost after the
    /// effect does not look like somebody else's lock.
    fn acquire<'a>(&'a self, key: &'a Key, token: Token, life: Duration)
    -> BoxFuture<'a, Result<Acquired, CacheError>>;

    /// Starts the life anew, if the token still holds the key.
    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>>;

    /// Lets go, if the token still holds the key (compare and delete).
    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>>;
}
