//! How the clients of all workers try again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scenarios::{Retry, RetryBudget};

/// How the clients of all workers try again.
#[derive(Clone)]
pub struct Retrying {
    pub(super) retry: Option<Retry>,
    budget: Arc<Mutex<RetryBudget>>,
    pub(super) seed: u64,
}

impl Retrying {
    /// As a scenario has it, with back-offs that are drawn from a seed; not at all without.
    #[must_use]
    pub fn of(retry: Option<Retry>, seed: u64) -> Self {
        Self { retry, budget: Arc::new(Mutex::new(RetryBudget::of(retry.as_ref()))), seed }
    }

    pub(super) fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
