//! `sweep`: one scenario at every point of a grid of settings, in virtual time, on all cores.

pub mod decimal;
pub mod goal;
pub mod values;
