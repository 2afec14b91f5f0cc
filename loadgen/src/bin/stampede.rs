//! All of the lab's programs in one, for its image: which one it is, the name says by which it is started.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitCode, Termination as _};

fn main() -> ExitCode {
    let first = std::env::args_os().next().unwrap_or_default();
    let program = match Path::new(&first).file_name().and_then(OsStr::to_str) {
        Some("app") => app::programs::replica::main,
        Some("origin") => app::programs::origin::main,
        Some("lab") => app::programs::tools::main,
        _ => return loadgen::program(),
    };
    program().report()
}
