//! Ctrl-C: once to stop arrivals, drain and write; twice to leave at once.

use std::io::Write as _;

use app::serve::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Hears SIGINT and SIGTERM from now on. What is returned is told at the first; the second ends the process.
///
/// # Errors
/// Where the system refuses to tell of signals.
pub fn listen() -> std::io::Result<Shutdown> {
    let (stop, told) = Shutdown::pair();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        for count in 1.. {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if count > 1 {
                // The private Redis ends with us, whatever way we end.
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            stop.stop();
            let _ = writeln!(
                std::io::stderr(),
                "\nstopping: what is under way is finished and written; again to leave at once"
            );
        }
    });
    Ok(told)
}
