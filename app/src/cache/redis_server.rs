//! A private `redis-server` on a unix socket, which never outlives its parent (see [`Guarded`]).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::guard::Guarded;

/// How long a server may take to answer its first PING.
const START_BUDGET: Duration = Duration::from_secs(10);
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
        let guarded = Guarded::new("stampede-redis-", |folder| {
            let path = |name: &str| folder.join(name).display().to_string();
            let mut command = vec![server.display().to_string()];
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

    fn socket(&self) -> PathBuf {
        self.guarded.folder().join("socket")
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_BUDGET {
            if ping(&self.socket()).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let log = std::fs::read_to_string(self.guarded.folder().join("log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it said nothing").to_owned();
        Err(format!("redis-server did not answer within {START_BUDGET:?}: {last}"))
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
