//! The records of a run, and everything that is drawn or said from them.
//!
//! Records in; charts, a page, a summary and a verdict table out. Nothing in this crate knows how a run was produced: it
//! reads the folder of `results/<run>/` and nothing else, so that `loadgen report RUN` on an old folder draws what the
//! run itself drew.
//!
//! | you want | look at |
//! |---|---|
//! | to write or read a run's files | [`RunFolder`], [`StrategyFolder`] |
//! | to write `latency.hlog`, and to read what its head says | [`HlogHeader`], [`HlogWriter`], [`read_hlog_header`] |
//! | charts, `report.html`, `summary.md` and `junit.xml` | [`render`] |
//! | the table at the end of a run | [`verdict_table`] |
//! | the types in those files | [`record`] |
//! | a strategy's numbers by name | [`figures()`] |
//! | what a gate holds a run to | [`compare::baseline`] |
//! | a grid of settings | [`sweep`] |
//! | an index of many runs, and the course of their figures | [`history`] |
//! | strategies or runs against each other | [`compare`] |
//! | what may be said of a difference, by numbers alone | [`compare::stats`] |

mod chart;
pub mod compare;
mod draw;
mod files;
pub mod history;
mod page;
pub mod record;
mod render;
pub mod sweep;
pub mod text;

pub use files::atomic::{AtomicFile, write_atomic, write_inside};
pub use files::document::Document;
pub use files::error::{ReportError, RunJsonProblem};
pub use files::folder::{RunFolder, StrategyFolder, Write};
pub use files::hlog::{HlogHeader, HlogWriter, read_hlog, read_hlog_header};
pub use files::part::PartFile;
pub use files::{FileKind, read_file, read_text};
pub use record::bounds::{REPEATS_MAX, STRATEGIES_MAX};
pub use record::figures::{Figures, figure, figures, metrics};
pub use record::herds::{Herd, Herds, herds, is_reason};
pub use record::json::DocumentProblem;
pub use record::run_json::parse_run;
pub use render::parallel::each as on_all_cores;
pub use render::{Rendered, render, render_page, render_text};
pub use text::summary::summary_markdown;
pub use text::verdict::verdict_table;
