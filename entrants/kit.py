"""What the contract test and the league share: an entrant's row, and the processes that are started and ended.

Only Python's standard library. Every process that is started here is ended here, by its id, whatever way the program ends.
"""
import atexit
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = ("defaults", "best")
_started = []


class Problem(Exception):
    """Something that the person at the terminal can do something about."""


class Entrant:
    """A folder with an `entrant.toml`: see docs/entrant.md."""

    def __init__(self, name):
        self.folder = pathlib.Path(name).resolve() if os.sep in name else HERE / name
        row = self.folder / "entrant.toml"
        if not row.is_file():
            raise Problem(f"no entrant · found no {row} · the entrants are: {', '.join(names())}")
        self.row = tomllib.loads(row.read_text())
        self.name = self.folder.name
        for field in ("language", "library", "start", "shared", *SETTINGS):
            if field not in self.row:
                raise Problem(f"{row} has no `{field}` · docs/entrant.md has all fields")
        self.built = self.folder / ".built"

    def install(self):
        """Runs the `install` lines once; again where the row or a lock file is newer than what they made."""
        done = self.built / "done"
        sources = [p for p in self.folder.iterdir() if p.is_file()]
        sources += [p for p in self.folder.glob("src/*")] + [p for p in (HERE / "serve").rglob("*") if p.is_file()]
        if done.exists() and all(p.stat().st_mtime <= done.stat().st_mtime for p in sources):
            return
        self.built.mkdir(exist_ok=True)
        for line in self.row.get("install", []):
            print(f"{self.name}: {line}", file=sys.stderr)
            made = subprocess.run(["bash", "-c", line], cwd=self.folder, env=self.env({}), capture_output=True, text=True)
            if made.returncode != 0:
                raise Problem(f"{self.name}: not installed · {line}\n{made.stdout[-2000:]}{made.stderr[-3000:]}")
        done.touch()

    def env(self, more):
        return {**os.environ, "BUILT": str(self.built), **more}

    def start(self, settings, ports, redis, origin, ttl_ms, scratch):
        """Starts as many replicas as there are ports, and waits until each is healthy."""
        peers = ",".join(f"http://127.0.0.1:{port}" for port in ports)
        replicas = []
        for number, port in enumerate(ports):
            own = pathlib.Path(tempfile.mkdtemp(dir=scratch))
            own.chmod(0o755)  # nginx's workers are nobody where its master is root
            env = self.env({"LISTEN": f"127.0.0.1:{port}", "REDIS_URL": redis, "ORIGIN_URL": origin, "PEERS": peers,
                            "TTL_MS": str(ttl_ms), "SETTINGS": settings, "REPLICA": str(number), "SCRATCH": str(own)})
            replicas.append(run(["bash", "-c", "exec " + self.row["start"]], own / "log", cwd=self.folder, env=env))
        for port, replica in zip(ports, replicas):
            until_healthy(f"http://127.0.0.1:{port}/healthz", replica, self.name)
        return replicas


def names():
    """The folders that have an `entrant.toml`."""
    return sorted(p.parent.name for p in HERE.glob("*/entrant.toml") if p.parent.name != "broken")


def run(command, log, **more):
    """Starts a program; its words go to `log`. It ends with this one even if this one is killed."""
    guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with open(log, "wb") as words:
        program = subprocess.Popen(guard + command, stdout=words, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True, **more)
    program.log = log
    return mind(program)


def mind(program):
    """Ends this program, the leader of a group of its own, when this one ends."""
    _started.append(program)
    return program


def end(programs):
    """Ends programs that were started here, and what they started."""
    for program in programs:
        if program in _started:
            _started.remove(program)
        try:
            os.killpg(program.pid, signal.SIGTERM)  # each is the leader of its own group
        except ProcessLookupError:
            pass
    for program in programs:
        try:
            program.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


atexit.register(lambda: end(list(_started)))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def redis_server(port, scratch):
    """A private Redis, empty, that writes nothing to a disk."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(scratch)]
    server = run(command, pathlib.Path(scratch) / "redis.log")
    wait_for(lambda: port_open(port), server, "redis-server")
    return server


def port_open(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(ready, program, name, limit_s=30):
    until = time.monotonic() + limit_s
    while not ready():
        if program.poll() is not None or time.monotonic() > until:
            words = pathlib.Path(program.log).read_text(errors="replace")[-3000:]
            raise Problem(f"{name} did not come up · its words:\n{words}")
        time.sleep(0.05)


def until_healthy(url, program, name):
    wait_for(lambda: get(url, 1)[0] == 200, program, name)


def get(url, timeout=15):
    """Status, body and headers; status 0 where there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace"), error.headers
    except OSError as error:
        return 0, str(error), {}
