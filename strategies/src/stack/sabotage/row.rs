//! The row of a broken strategy.

use crate::stack::parts::Parts;

/// A broken strategy, for people.
#[derive(Debug, Clone, Copy)]
pub struct BrokenInfo {
    /// Its name.
    pub name: &'static str,
    /// What it would be without its flaw.
    pub composition: &'static str,
    /// What its flaw does, in a line.
    pub reason: &'static str,
    /// The public mistake that it repeats.
    pub mistake: &'static str,
    /// How its flaw gets into the parts of a right stack.
    pub(crate) sabotage: fn(&mut Parts),
}
