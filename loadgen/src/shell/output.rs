//! Standard output, where a closed pipe (`| head`) ends quietly, and standard error.
//!
//! A name of anybody's may be in any text, so whatever a terminal would obey is taken out here, once for all. A JSON document
//! passes through `escape::json` first, and stays the same document.

use std::cell::RefCell;
use std::io::{ErrorKind, Write as _};

use report::text::escape;

use crate::shell::exit::Failure;

thread_local! {
    /// What was written on this thread, where it is kept.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does `work`, and keeps what it writes to standard output: for a program that runs a command inside itself, as the fuzzer does.
pub fn kept<T>(work: impl FnOnce() -> T) -> (T, String) {
    KEPT.set(Some(String::new()));
    let done = work();
    (done, KEPT.take().unwrap_or_default())
}

/// Writes a text to standard output.
///
/// # Errors
/// [`Failure`] where that fails otherwise than by a closed pipe.
pub fn out(text: &str) -> Result<(), Failure> {
    let text = escape::lines(text);
    let is_kept = KEPT.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.push_str(&text)).is_some());
    if is_kept {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}

/// Writes a text to standard error. Where nobody reads it nothing is to be done.
pub fn err(text: &str) {
    let _ = std::io::stderr().write_all(escape::lines(text).as_bytes());
}
