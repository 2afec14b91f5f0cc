//! Standard output, where a closed pipe (`| head`) ends quietly, and standard error.
//!
//! A name of anybody's may be in any text, so whatever a terminal would obey is taken out here, once for all. A JSON document
//! passes through `escape::json` first, and stays the same document.

use std::io::{ErrorKind, Write as _};

use report::escape;

use crate::exit::Failure;

/// Writes a text to standard output.
///
/// # Errors
/// [`Failure`] where that fails otherwise than by a closed pipe.
pub fn out(text: &str) -> Result<(), Failure> {
    let (text, mut stdout) = (escape::lines(text), std::io::stdout().lock());
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}

/// Writes a text to standard error. Where nobody reads it nothing is to be done.
pub fn err(text: &str) {
    let _ = std::io::stderr().write_all(escape::lines(text).as_bytes());
}
