//! The values that a scenario is made of, each validated.

pub(crate) mod active;
pub(crate) mod budgets;
pub(crate) mod churn;
pub(crate) mod classes;
pub(crate) mod counting;
pub(crate) mod items;
pub(crate) mod keys;
pub(crate) mod law;
pub(crate) mod load;
pub(crate) mod op;
pub(crate) mod popularity;
pub(crate) mod ramp;
pub(crate) mod rate;
pub(crate) mod recorded;
pub(crate) mod replica;
pub(crate) mod retry;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod simulated;
pub(crate) mod size;
pub(crate) mod start;
pub(crate) mod trace;
pub(crate) mod writes;
