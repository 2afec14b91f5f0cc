//! A row's moment: small disorder is put in order, and rows that share a whole second are spread over it.

mod order;
mod pending;
mod spread;

pub(crate) use order::{Order, TooLate};
pub(crate) use pending::PendingRow;
pub(crate) use spread::SecondSpread;
