//! A file as lines: opened, unpacked where it is gzip, cut where a line ends.

mod lines;
mod open;

pub(crate) use lines::{LINE_BYTES_MAX, Lines, TraceLine, without_end};
pub(crate) use open::open;
