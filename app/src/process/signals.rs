//! The signals that ask a program to end: Ctrl-C (SIGINT), SIGTERM, and SIGHUP, which a terminal sends when it is closed.
//! A SIGHUP that was ignored when the program began stays ignored: that is what `nohup` is for.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the signals that ask for the end.
pub struct Endings {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Endings {
    /// Hears them from now on. Must be called on a runtime.
    ///
    /// # Errors
    /// Where the system refuses to tell of signals.
    pub fn listen() -> std::io::Result<Self> {
        let hangup = SignalKind::hangup();
        let hangup = if is_ignored(hangup) { None } else { Some(signal(hangup)?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    /// Waits for the next one, whichever it is.
    pub async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process ignores a signal, as Linux tells it (proc(5), `SigIgn`); elsewhere it is taken not to.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (kind.as_raw_value() - 1)) != 0
}
