//! Many runs: what each came to, boiled down to what an index shows, and the course of each figure over runs of the same circumstances.
//!
//! Of a run only its four compared metrics are kept, so an index of thousands of runs takes a few megabytes.

mod change;
mod course;
mod page;

pub use change::{LastChange, last_change};
pub use course::{Course, CoursePoint, History, HistoryRun, RunCircumstances, RunState};
pub use page::history_page;
