//! Sabotage: what makes the `broken-…` strategies wrong, apart from everything that is right.

mod release;
mod seize;

pub(crate) use release::ReleasesAnybodys;
pub use seize::Seize;
