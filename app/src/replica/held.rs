//! Which locks this replica holds, for an event that is aimed at a lock's holder: the lease port, and a note of every
//! token that it gave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strategies::Key;
use strategies::port::{Acquired, BoxFuture, CacheError, Lease, Released, Renewed, Token};

use crate::wire::control::HeldLocks;

/// Leases, and the tokens of those that were won and not released.
pub(super) struct HeldLeases {
    leases: Arc<dyn Lease>,
    tokens: Mutex<BTreeMap<Key, Token>>,
}

impl HeldLeases {
    pub(super) fn over(leases: Arc<dyn Lease>) -> Self {
        Self { leases, tokens: Mutex::default() }
    }

    /// What is held now, as far as this replica knows: one that has run out is held until it is released.
    pub(super) fn tokens(&self) -> HeldLocks {
        let tokens = self.held().iter().map(|(key, token)| (key.to_string(), token.to_string())).collect();
        HeldLocks { tokens }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Key, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease for HeldLeases {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move {
            let acquired = self.leases.acquire(key, token, life).await?;
            if acquired == Acquired::Won {
                self.held().insert(key.clone(), token);
            }
            Ok(acquired)
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        self.leases.renew(key, token, life)
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move {
            {
                let mut held = self.held();
                if held.get(key) == Some(&token) {
                    held.remove(key);
                }
            }
            self.leases.release(key, token).await
        })
    }
}
