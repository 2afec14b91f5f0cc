//! Standard output, where a closed pipe (`| head`) ends quietly.

use std::io::{ErrorKind, Write as _};

use crate::exit::Failure;

/// Writes a text to standard output.
///
/// # Errors
/// [`Failure`] where that fails otherwise than by a closed pipe.
pub fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}
