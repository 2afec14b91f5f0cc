//! A folder, and perhaps a program in it, that never outlive their owner, whatever way that ends.
//!
//! A shell stands guard: it holds the reading end of a pipe whose writing end is ours. When we drop it, exit, crash or are
//! killed, the kernel closes the pipe, the shell wakes, kills the program and removes the folder. It is in a process group
//! of its own, so that Ctrl-C at the terminal reaches us and not the cache that we are still draining.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `$1` is the folder, the rest the program's command line, if there is one.
const GUARD: &str = r#"
exec 3<&0 </dev/null
trap '' INT TERM HUP
folder=$1; shift
if [ $# -gt 0 ]; then
  "$@" >"$folder/log" 2>&1 3<&- &
  program=$!
fi
read -r _ <&3
if [ -n "${program:-}" ]; then
  kill -KILL "$program" 2>/dev/null
  wait "$program" 2>/dev/null
fi
rm -rf "$folder"
"#;

/// The longest path of a unix socket that every system takes.
const SOCKET_PATH_MAX: usize = 100;

/// A guarded folder. Dropping it ends its program and removes it.
pub struct Guarded {
    guard: Child,
    folder: PathBuf,
}

impl Guarded {
    /// Makes a folder of our own, and runs in it the command that `command` makes from its path (an empty one for none).
    /// The program's output goes to `log` in the folder.
    ///
    /// # Errors
    /// A sentence where there is no folder, or no shell, to be had.
    pub fn new<S: AsRef<OsStr>>(prefix: &str, command: impl FnOnce(&Path) -> Vec<S>) -> Result<Self, String> {
        let parent = parent(prefix);
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(&parent);
        let folder = made.map_err(|e| format!("no folder in {}: {e}", parent.display()))?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "stampede-guard"])
            .arg(folder.path())
            .args(command(folder.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start a shell to guard {}: {e}", folder.path().display()))?;
        // From here on the guard removes it.
        Ok(Self { guard, folder: folder.keep() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The guard's process id; its program is its only child.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.guard.id()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Where temporary folders go, unless a socket's path in one would be too long.
fn parent(prefix: &str) -> PathBuf {
    let temp = std::env::temp_dir();
    let longest = temp.as_os_str().len() + prefix.len() + "/XXXXXX/socket".len();
    if longest <= SOCKET_PATH_MAX { temp } else { PathBuf::from("/tmp") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_its_program_go_with_their_owner() {
        let guarded = Guarded::new("guard-test-", |_| vec!["sleep", "1000"]).unwrap();
        let folder = guarded.folder().to_owned();
        std::fs::write(folder.join("file"), "x").unwrap();
        let guard = guarded.pid();
        drop(guarded);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{guard}")).exists());
        let none: [&str; 0] = [];
        let alone = Guarded::new("guard-test-", |_| none.to_vec()).unwrap();
        let folder = alone.folder().to_owned();
        assert!(folder.exists());
        drop(alone);
        assert!(!folder.exists());
    }
}
