//! What a program on a command line needs whatever it does: how it ends, what it prints, signals, names.

pub mod command_line;
pub mod exit;
pub mod interrupt;
pub mod names;
pub mod output;
pub mod part;
pub mod progress;
pub mod table;
