//! The records of a run, and everything that is drawn or said from them.
//!
//! Records in; charts, a page, a summary and a verdict table out. Nothing in this crate knows how a run was produced: it
//! reads the folder of `results/<run>/` and nothing else, so that `loadgen report RUN` on an old folder draws what the
//! run itself drew.

pub mod record;
