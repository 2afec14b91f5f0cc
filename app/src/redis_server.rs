//! A private `redis-server` on a unix socket, which never outlives its parent, whatever way that ends.
//!
//! A shell stands between: it holds the reading end of a pipe whose writing end is ours. When we drop it, exit, crash or
//! are killed, the kernel closes the pipe, the shell wakes, kills the server and removes its folder. It is in a process
//! group of its own, so that Ctrl-C at the terminal reaches us and not the cache that we are still draining.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `$1` is the server's folder, the rest its command line.
const GUARD: &str = r#"
exec 3<&0 </dev/null
trap '' INT TERM HUP
folder=$1; shift
"$@" >"$folder/log" 2>&1 3<&- &
server=$!
read -r _ <&3
kill -KILL "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$folder"
"#;

/// How long a server may take to answer its first PING.
const START_BUDGET: Duration = Duration::from_secs(10);
/// The longest path of a unix socket that every system takes.
const SOCKET_PATH_MAX: usize = 100;

/// A running private server. Dropping it ends it.
pub struct PrivateRedis {
    guard: Child,
    folder: PathBuf,
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
        let folder = folder()?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "stampede-redis"])
            .arg(&folder)
            .arg(server)
            .args(["--port", "0", "--unixsocket"])
            .arg(folder.join("socket"))
            .args(["--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--dir"])
            .arg(&folder)
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", server.display()))?;
        let redis = Self { guard, folder };
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
        std::fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_BUDGET {
            if ping(&self.socket()).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it said nothing").to_owned();
        Err(format!("redis-server did not answer within {START_BUDGET:?}: {last}"))
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
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

/// A folder of our own whose socket path is short enough.
fn folder() -> Result<PathBuf, String> {
    let fits = |dir: &Path| dir.as_os_str().len() + "/stampede-redis-XXXXXX/socket".len() <= SOCKET_PATH_MAX;
    let temp = std::env::temp_dir();
    let parent = if fits(&temp) { temp } else { PathBuf::from("/tmp") };
    let made = tempfile::Builder::new().prefix("stampede-redis-").tempdir_in(&parent);
    // The guard removes it, also when we cannot.
    made.map(tempfile::TempDir::keep).map_err(|e| format!("no folder for redis-server in {}: {e}", parent.display()))
}
