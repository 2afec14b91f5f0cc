//! A folder, and perhaps a program in it, that never outlive their owner, whatever way that ends.
//!
//! A shell stands guard: it holds the reading end of a pipe whose writing end is ours. When we drop it, exit, crash or are
//! killed, the kernel closes the pipe, the shell wakes, kills the program and removes the folder. It is in a process group
//! of its own, so that Ctrl-C at the terminal reaches us and not the cache that we are still draining.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// `$1` is the folder, the rest the program's command line, if there is one. The program runs in the folder, which is how it is
/// known again, from its first moment on: the guard itself does, so that one which is killed early leaves nothing that is not known.
const GUARD: &str = r#"
exec 3<&0 </dev/null
trap '' INT TERM HUP
cd "$1" || exit
folder=$PWD; shift
if [ $# -gt 0 ]; then
  (exec "$@") >log 2>&1 3<&- &
  program=$!
  echo "$program" >"$folder/guarded"
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
        // For its owner alone, whatever the umask gives or takes.
        let made = made.and_then(|made| {
            std::fs::set_permissions(made.path(), Permissions::from_mode(0o700))?;
            Ok(made)
        });
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

impl Guarded {
    /// Whether the program was started and is not there any more, as far as the system tells.
    #[must_use]
    pub fn program_ended(&self) -> bool {
        let Ok(pid) = std::fs::read_to_string(self.folder.join("guarded")) else { return false };
        // Of a process that has ended and waits to be waited for, there is no such link.
        let runs = |pid: &str| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok();
        runs("self") && !pid.trim().is_empty() && !runs(pid.trim())
    }

    /// Sends a signal to the program that the guard started, if it is still that one: the process of its number runs in our folder.
    ///
    /// # Errors
    /// A sentence where it is not there any more.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid =
            std::fs::read_to_string(self.folder.join("guarded")).map_err(|e| format!("no program is known: {e}"))?;
        let pid = pid.trim();
        let ours = self.folder.canonicalize().map_err(|e| e.to_string())?;
        if std::fs::read_link(format!("/proc/{pid}/cwd")).ok().as_ref() != Some(&ours) {
            return Err("the program has ended".into());
        }
        let pid = pid.parse().ok().and_then(Pid::from_raw).ok_or("its process has no number")?;
        kill_process(pid, signal).map_err(|e| e.to_string())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        // A guard that was killed has left its work to us.
        if self.folder.exists() {
            let _ = self.signal(Signal::KILL);
            let _ = std::fs::remove_dir_all(&self.folder);
        }
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
        let folder_of_nobody = {
            let guarded = Guarded::new("guard-test-", |_| vec!["sleep", "1000"]).unwrap();
            let running = || std::fs::read_to_string(guarded.folder().join("guarded")).unwrap_or_default();
            while running().trim().is_empty() {
                std::thread::yield_now();
            }
            let program = PathBuf::from(format!("/proc/{}", running().trim()));
            let guard = guarded.pid().to_string();
            assert!(program.exists() && Command::new("kill").args(["-KILL", &guard]).status().unwrap().success());
            let folder = guarded.folder().to_owned();
            drop(guarded);
            // Nobody has waited for it yet: what is left of it is a zombie at the most. A kill takes a moment.
            let ended = || std::fs::read_to_string(program.join("status")).map_or(true, |s| s.contains("State:\tZ"));
            assert!((0..1_000_000).any(|_| ended()), "the program lives on");
            folder
        };
        assert!(!folder_of_nobody.exists(), "its guard was killed, and its owner saw to it");
        let none: [&str; 0] = [];
        let alone = Guarded::new("guard-test-", |_| none.to_vec()).unwrap();
        let folder = alone.folder().to_owned();
        assert!(folder.exists());
        drop(alone);
        assert!(!folder.exists());
    }
}
