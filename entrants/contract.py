#!/usr/bin/env python3
"""The contract of an entrant, tested: `entrants/contract.py NAME…`, each with `defaults` and `best`. Takes 20 s a name.

It has an origin of its own, so that nothing of the lab need be built. `--self-test` shows that a broken entrant fails.
"""
import pathlib
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kit

TTL_MS = 2000
PORTS = {"origin": 29400, "redis": 29401, "first": 29402, "second": 29403}


class Origin(BaseHTTPRequestHandler):
    """An origin whose every answer is another: the item's number, and how often it was read."""
    protocol_version = "HTTP/1.1"
    lock, reads, askers, failing = threading.Lock(), {}, set(), False

    def do_GET(self):
        id = self.path.removeprefix("/items/")
        with Origin.lock:
            count = Origin.reads[id] = Origin.reads.get(id, 0) + 1
            Origin.askers.add(self.headers.get("lab-replica"))
        time.sleep(0.05)
        status, text = 200, f'{{"id":"{id}","read":{count}}}'
        if Origin.failing:
            status, text = 500, "failed\n"
        elif not id.isdigit() or int(id) > 1000:
            status, text = 404, "no such item\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 200:
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Checks:
    """What was asked of an entrant, and what came."""

    def __init__(self, title):
        self.failed = []
        print(title)

    def that(self, what, holds, found=""):
        print(f"  {'ok  ' if holds else 'FAIL'} {what}" + (f" · found {found}" if found and not holds else ""))
        if not holds:
            self.failed.append(what)

    def told(self, what):
        print(f"  -    {what}")


def becomes(probe, limit_s):
    """Whether `probe` holds within a time, asked ten times a second."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if probe():
            return True
        time.sleep(0.1)
    return False


def check(entrant, settings, scratch):
    Origin.reads, Origin.askers, Origin.failing = {}, set(), False
    checks = Checks(f"{entrant.name}, {settings}")
    ports = [PORTS["first"], PORTS["second"]]
    base, other = (f"http://127.0.0.1:{port}" for port in ports)
    redis = kit.redis_server(PORTS["redis"], scratch)
    replicas = entrant.start(settings, ports, f"redis://127.0.0.1:{PORTS['redis']}", f"http://127.0.0.1:{PORTS['origin']}", TTL_MS, scratch)

    def reads(id):
        return Origin.reads.get(id, 0)

    status, version, _ = kit.get(f"{base}/version")
    checks.that("GET /version is 200 and has a version", status == 200 and any(c.isdigit() for c in version), f"{status} {version!r}")
    checks.told(version.strip())

    status, first, headers = kit.get(f"{base}/items/1")
    checks.that("an item is 200, with the origin's body", (status, first) == (200, '{"id":"1","read":1}'), f"{status} {first!r}")
    checks.told(f"Cache-Status: {headers.get('Cache-Status', 'none')}")
    status, second, headers = kit.get(f"{base}/items/1")
    checks.that("asked again, it is the same, and the origin is not read", (status, second, reads("1")) == (200, first, 1),
                f"{status} {second!r}, {reads('1')} reads")
    said = headers.get("Cache-Status")
    checks.that("Cache-Status, where there is one, says hit", said is None or "hit" in said, said)
    status, shared, _ = kit.get(f"{other}/items/1")
    checks.that("a second replica answers, too", status == 200, f"{status} {shared!r}")
    if entrant.row["shared"] is True or entrant.row["shared"] == settings:
        checks.that("from the cache that both share", reads("1") == 1, f"{reads('1')} reads")

    status = kit.get(f"{base}/items/5000")[0]
    checks.that("what does not exist is 404", status == 404, status)
    status = kit.get(f"{base}/items/5000")[0]
    checks.that("and 404 again", status == 404, status)

    renewed = becomes(lambda: kit.get(f"{base}/items/1")[1] not in (first, ""), 3 * TTL_MS / 1000 + 2)
    checks.that("after its TTL an item is read again", renewed)

    Origin.failing = True
    status = kit.get(f"{base}/items/2")[0]
    checks.that("where the origin fails it is a 5xx", 500 <= status <= 599, status)
    time.sleep(2 * TTL_MS / 1000)
    checks.told(f"an expired item while the origin fails: {kit.get(f'{base}/items/1')[0]}")
    checks.that("the process lives", kit.get(f"{base}/healthz")[0] == 200 and replicas[0].poll() is None)
    Origin.failing = False
    checks.that("when the origin is back, so is the item", becomes(lambda: kit.get(f"{base}/items/2")[0] == 200, 10))
    checks.told(f"lab-replica at the origin: {', '.join(sorted(str(a) for a in Origin.askers))}")

    kit.end(replicas)
    checks.that("it ends within 5 s of a SIGTERM", all(r.returncode != -9 for r in replicas))
    kit.end([redis])
    return checks.failed


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        return 0
    self_test = arguments == ["--self-test"]
    wanted = ["broken"] if self_test else arguments or kit.names()
    origin = ThreadingHTTPServer(("127.0.0.1", PORTS["origin"]), Origin)
    origin.daemon_threads = True
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    failed = {}
    for name in wanted:
        entrant = kit.Entrant(name)
        entrant.install()
        for settings in kit.SETTINGS:
            with tempfile.TemporaryDirectory(prefix="entrant-") as scratch:
                pathlib.Path(scratch).chmod(0o755)
                failed[f"{name} {settings}"] = check(entrant, settings, scratch)
    if self_test:
        found = all(failed.values())
        print("the broken entrant is found out" if found else "the broken entrant passed: the test is worth nothing")
        return 0 if found else 1
    for who, what in failed.items():
        if what:
            print(f"{who}: {len(what)} failed · {'; '.join(what)}")
    return 1 if any(failed.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except kit.Problem as problem:
        sys.exit(f"error: {problem}")
