//! A private `redis-server` on a unix socket, which never outlives its parent (see [`Guarded`]).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::guard::Guarded;

/// How long a server may take to answer its first PING.
const START_BUDGET: Duration = Duration::from_secs(10);
/// How much of its log is read.
const LOG_BYTES_MAX: u64 = 1 << 16;

/// A running private server. Dropping it ends it.
pub struct PrivateRedis {
    guarded: Guarded,
}

/// Finds `redis-server` on the PATH.
#[must_use]
pub fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("redis-server")).find(|file| file.is_file())
}

impl PrivateRedis {
    /// Starts `server` with nothing persistent and no TCP port, and waits until it answers. `extra` are further
    /// settings as on its command line.
    ///
    /// # Errors
    /// A sentence with the server's own last words where it does not come up.
    pub fn start(server: &Path, extra: &[&str]) -> Result<Self, String> {
        Self::start_as(server, false, extra)
    }

    /// The same as a Sentinel, which keeps what it knows in a file of its folder.
    pub(super) fn start_sentinel(server: &Path, extra: &[&str]) -> Result<Self, String> {
        Self::start_as(server, true, extra)
    }

    fn start_as(server: &Path, sentinel: bool, extra: &[&str]) -> Result<Self, String> {
        let guarded = Guarded::new("stampede-redis-", |folder| {
            let path = |name: &str| folder.join(name).display().to_string();
            let mut command = vec![server.display().to_string()];
            if sentinel {
                // Where there is none it does not come up, and says so.
                let _ = std::fs::write(folder.join("sentinel.conf"), "");
                command.extend([path("sentinel.conf"), "--sentinel".into()]);
            }
            command.extend(
                ["--port", "0", "--unixsocketperm", "700", "--save", "", "--appendonly", "no"].map(String::from),
            );
            command.extend(["--unixsocket".into(), path("socket"), "--pidfile".into(), path("pid")]);
            command.extend(["--dir".into(), folder.display().to_string()]);
            command.extend(extra.iter().map(|&word| word.to_owned()));
            command
        })?;
        let redis = Self { guarded };
        redis.wait_until_it_answers()?;
        Ok(redis)
    }

    /// The URL to reach it by.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.guarded.folder().join("pid")).ok()?.trim().parse().ok()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// A sentence where it is not there any more.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        self.guarded.signal(signal)
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.guarded.program_ended()
    }

    fn socket(&self) -> PathBuf {
        self.guarded.folder().join("socket")
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_BUDGET {
            if ping(&self.socket()).is_ok() {
                return Ok(());
            }
            if self.guarded.program_ended() {
                return Err(format!("it ended at once: {}", self.last_words()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(format!("redis-server did not answer within {START_BUDGET:?}: {}", self.last_words()))
    }

    /// The end of what it said: of a setting that it does not take it says the line first, and then why.
    fn last_words(&self) -> String {
        let mut log = Vec::new();
        if let Ok(file) = std::fs::File::open(self.guarded.folder().join("log")) {
            let _ = file.take(LOG_BYTES_MAX).read_to_end(&mut log);
        }
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(2)..).unwrap_or_default().join(" ");
        if last.is_empty() { "it said nothing".to_owned() } else { last }
    }
}

fn ping(socket: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 1];
    // Any whole answer will do: one that asks for a password is up, too.
    stream.read_exact(&mut answer)
}
