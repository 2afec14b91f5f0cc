//! The records of a run, and everything that is drawn or said from them.
//!
//! Records in; charts, a page, a summary and a verdict table out. Nothing in this crate knows how a run was produced: it
//! reads the folder of `results/<run>/` and nothing else, so that `loadgen report RUN` on an old folder draws what the
//! run itself drew.
//!
//! | you want | look at |
//! |---|---|
//! | to write or read a run's files | [`RunFolder`], [`StrategyFolder`] |
//! | to write `latency.hlog` | [`HlogHeader`], [`HlogWriter`] |
//! | charts, `report.html` and `summary.md` | [`render`] |
//! | the table at the end of a run | [`verdict_table`] |
//! | the types in those files | [`record`] |
//! | a strategy's numbers by name | [`figures()`] |
//! | what a gate holds a run to | [`baseline`] |
//! | a grid of settings | [`sweep`] |
//! | strategies or runs against each other | [`compare`] |
//! | what may be said of a difference, by numbers alone | [`stats`] |

mod atomic;
pub mod baseline;
mod bounds;
mod chart;
pub mod compare;
mod csv;
mod digest;
mod error;
pub mod escape;
mod figures;
mod files;
mod folder;
mod herds;
mod hlog;
mod json;
mod lines;
mod packed;
mod page;
mod parallel;
pub mod record;
mod render;
mod rows;
mod run_json;
mod sentences;
pub mod stats;
mod summary;
pub mod sweep;
mod theory;
mod verdict;
mod walk;
mod words;

pub use atomic::{AtomicFile, write_atomic, write_inside};
pub use bounds::{REPEATS_MAX, STRATEGIES_MAX};
pub use error::{ReportError, RunJsonProblem};
pub use figures::{Figures, figure, figures, metrics};
pub use files::{FileKind, read_file, read_text};
pub use folder::{RunFolder, StrategyFolder, Write};
pub use herds::{Herd, Herds, herds, is_reason};
pub use hlog::{HlogHeader, HlogWriter, read_hlog};
pub use json::DocumentProblem;
pub use parallel::each as on_all_cores;
pub use render::{Rendered, render, render_page, render_text};
pub use run_json::parse_run;
pub use summary::summary_markdown;
pub use verdict::verdict_table;
