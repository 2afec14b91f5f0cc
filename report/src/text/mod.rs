//! What is said in words: the table, the sentences under it, the summary.

pub(crate) mod columns;
pub mod escape;
pub(crate) mod figures;
pub mod junit;
pub(crate) mod names;
pub(crate) mod phrases;
pub(crate) mod sentences;
pub(crate) mod summary;
pub(crate) mod theory;
pub(crate) mod truth;
pub(crate) mod verdict;
