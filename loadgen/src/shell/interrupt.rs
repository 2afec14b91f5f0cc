//! Ctrl-C, SIGTERM or SIGHUP: once to stop arrivals, drain, heal and write; twice to leave at once.

use std::io::Write as _;

use app::process::shutdown::Shutdown;
use app::process::signals::Endings;

use crate::shell::exit::Exit;

/// Hears [`Endings`] from now on. What is returned is told at the first; the second ends the process.
///
/// # Errors
/// Where the system refuses to tell of signals.
pub fn listen() -> std::io::Result<Shutdown> {
    let (stop, told) = Shutdown::pair();
    let mut endings = Endings::listen()?;
    tokio::spawn(async move {
        for count in 1.. {
            endings.next().await;
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
