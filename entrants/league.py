#!/usr/bin/env python3
"""The league: every entrant, and every preset that one comes nearest to, under the same five scenarios.

    entrants/league.py run [--entrants a,b] [--settings defaults,best] [--scenarios x,y] [--runs 2] [-o DIR] [--ports 292]
    entrants/league.py presets [--scenarios x,y] [--runs 2] [-o DIR]       the lab's own, by --lab local --cache redis
    entrants/league.py tables [-o DIR] [--publish]                         league.csv, and the tables, as Markdown and as a page

Resumable: what has its valid runs in DIR/rows is not run again. LOADGEN and ORIGIN are the programs (target/release/… else).
"""
import argparse
import concurrent.futures
import csv
import datetime
import html
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

import kit

ROOT = kit.HERE.parent
LOADGEN = os.environ.get("LOADGEN", str(ROOT / "target/release/loadgen"))
ORIGIN = os.environ.get("ORIGIN", str(ROOT / "target/release/origin"))
TTL_MS, SERVICE_S = 5000, 0.2
# A scenario's file or name, its options, and what the presets can be run in: the local lab has no event that stops a Redis, so
# `cache-lost` of the presets is simulated, as the shipped `cache-outage` with the same times.
SCENARIOS = {
    "hotkey": {"file": "hotkey", "flags": ["-d", "20s"], "presets": ["--lab", "local", "--cache", "redis"]},
    "hotkey-open": {"file": "hotkey-open", "flags": ["-d", "20s"], "presets": ["--lab", "local", "--cache", "redis"]},
    "expire-together": {"file": str(kit.HERE / "scenarios/expire-together.toml"), "flags": [],
                        "presets": ["--lab", "local", "--cache", "redis"], "preset_file": "bulk-warm", "preset_flags": ["-d", "15s"]},
    "cache-lost": {"file": str(kit.HERE / "scenarios/cache-lost.toml"), "flags": [],
                   "presets": ["--lab", "sim"], "preset_file": str(kit.HERE / "scenarios/cache-lost-sim.toml"), "preset_flags": []},
    "origin-fails": {"file": str(kit.HERE / "scenarios/origin-fails.toml"), "flags": [], "presets": ["--lab", "local", "--cache", "redis"]},
}
COLUMNS = ("scenario who settings run version nearest valid why requests reads max_per_second per_expiry hot_reads p50_ms p99_ms max_ms hit stale "
           "wait load error unknown failed error_kinds predicted load_average started").split()


def said(words):
    print(f"{datetime.datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)


class Run:
    """One run, and the row that is kept of it."""

    def __init__(self, out, scenario, who, settings, number):
        self.scenario, self.who, self.settings, self.number = scenario, who, settings, number
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in f"{scenario}.{who}.{settings}.{number}")
        self.row_file = pathlib.Path(out) / "rows" / f"{name}.json"
        self.results = pathlib.Path(out) / "runs" / name

    def done(self):
        return self.row_file.exists() and json.loads(self.row_file.read_text())["valid"]

    def loadgen(self, flags):
        self.results.mkdir(parents=True, exist_ok=True)
        # An open loop is held to its schedule: 2 ms at p99. Where others use the machine, too, that takes a priority above theirs.
        first = ["chrt", "-r", "1"] if os.geteuid() == 0 and self.scenario == "hotkey-open" else []
        command = [*first, LOADGEN, *flags, "-o", str(self.results), "--seed", str(41 + self.number), "--quiet", "--format", "json"]
        with open(self.results / "stderr", "wb") as words:
            program = kit.mind(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, start_new_session=True))
        return program

    def keep(self, told, more):
        """The row of a run.json's first strategy."""
        one = told["strategies"][0]
        requests, outcomes, origin = one["requests"] or 1, one["outcomes"], one["origin"]
        share = {k: round(100 * (outcomes[k] or 0) / requests, 2) for k in ("hit", "stale", "wait", "load", "error", "unknown")}
        row = {
            "scenario": self.scenario, "who": self.who, "settings": self.settings, "run": self.number, "valid": one["valid"],
            "why": "; ".join(map(str, one["invalid_because"])), "requests": one["requests"], "reads": origin["total"], "max_per_second": origin["max_per_second"],
            "per_expiry": (origin["per_expiry"] or {}).get("mean"), "hot_reads": (one["hot"] or {}).get("origin_total"),
            **{f"{k}_ms": one["latency_ms"][k] for k in ("p50", "p99", "max")}, **share,
            "failed": round(100 * one["errors"] / requests, 2), "error_kinds": json.dumps(one["error_kinds"]).replace('"', ""),
            "predicted": (one["predicted"] or {}).get("per_expiry"), "load_average": (told["environment"]["load_average_percent"] or 0) / 100,
            "started": told["started_at"], **more,
        }
        self.row_file.parent.mkdir(parents=True, exist_ok=True)
        self.row_file.write_text(json.dumps(row, indent=1) + "\n")
        said(f"{self.scenario} {self.who} {self.settings} #{self.number}: {row['reads']} reads, {row['per_expiry']} per expiry, max "
             f"{row['max_per_second']}/s, p99 {row['p99_ms']} ms, failed {row['failed']} %" + ("" if row["valid"] else f" · INVALID: {row['why']}"))
        return row


def of_json(run, program):
    out, _ = program.communicate(timeout=300)
    if program.returncode not in (0, 4, 99) or not out.strip():
        words = (run.results / "stderr").read_text(errors="replace")
        raise kit.Problem(f"loadgen ended with {program.returncode} · {words[-2000:]}")
    return json.loads(out)


def burst(ports, items):
    """Each replica in turn is asked for every item at once."""
    with concurrent.futures.ThreadPoolExecutor(items) as pool:
        for port in ports:
            list(pool.map(lambda n: kit.get(f"http://127.0.0.1:{port}/items/{n}"), range(1, items + 1)))


def one_run(entrant, run, base):
    """An origin, a Redis and three replicas, all new; loadgen; and all of it down again."""
    spec = SCENARIOS[run.scenario]
    ports = [int(f"{base}{n:02}") for n in range(6)]
    origin_port, control_port, redis_port, replica_ports = ports[0], ports[1], ports[2], ports[3:]
    for port in ports:
        if kit.port_open(port):
            raise kit.Problem(f"another program listens on 127.0.0.1:{port} · choose other ports with --ports")
    with tempfile.TemporaryDirectory(prefix="league-") as scratch:
        scratch = pathlib.Path(scratch)
        scratch.chmod(0o711)
        token = scratch / "token"
        token.touch(0o600)
        token.write_text(secrets.token_hex(16))
        origin = kit.run([ORIGIN, "--listen", f"127.0.0.1:{origin_port}", "--control", f"127.0.0.1:{control_port}", "--token-file",
                          str(token), "--database", str(scratch / "origin.sqlite")], scratch / "origin.log")
        kit.wait_for(lambda: kit.port_open(control_port), origin, "origin")
        redis = kit.redis_server(redis_port, scratch)
        replicas = entrant.start(run.settings, replica_ports, f"redis://127.0.0.1:{redis_port}", f"http://127.0.0.1:{origin_port}",
                                 TTL_MS, scratch)
        try:
            version = kit.get(f"http://127.0.0.1:{replica_ports[0]}/version")[1].strip()
            flags = ["--scenario", spec["file"], *spec["flags"], "--origin-control", f"http://127.0.0.1:{control_port}",
                     "--origin-token-file", str(token)]
            for port in replica_ports:
                flags += ["--target", f"http://127.0.0.1:{port}/items/{{key}}"]
            if run.scenario == "expire-together":
                # The origin has no rows before its first start: a run of a second, whose figures nobody keeps, gives it them.
                first = Run(scratch, run.scenario, "rows", run.settings, run.number)
                of_json(first, first.loadgen([*flags, "-d", "1s", "-c", "1", "--set", "load.think=900ms"]))
                burst(replica_ports, 100)
            program = run.loadgen(flags)
            if run.scenario == "cache-lost":
                time.sleep(10)  # 5 s of warm-up and 5 s
                kit.end([redis])
                time.sleep(10)
                redis = kit.redis_server(redis_port, scratch)
            row = run.keep(of_json(run, program), {"version": version, "nearest": entrant.row[run.settings]["nearest"]})
            died = [n for n, r in enumerate(replicas) if r.poll() is not None]
            if died:
                said(f"  replica {died} ended during the run; its last words: {replicas[died[0]].log.read_text(errors='replace')[-600:]}")
                row.update(error_kinds=row["error_kinds"] + f" ({len(died)} of 3 processes ended)")
                run.row_file.write_text(json.dumps(row, indent=1) + "\n")
            return row["valid"]
        finally:
            kit.end([*replicas, redis, origin])


def attempt(run, what, tries):
    for _ in range(tries):
        try:
            if what():
                return
        except (kit.Problem, subprocess.TimeoutExpired) as problem:
            said(f"{run.scenario} {run.who} {run.settings} #{run.number}: not run · {problem}")
            return


def run_entrants(args):
    entrants = [kit.Entrant(name) for name in (args.entrants.split(",") if args.entrants else kit.names())]
    for entrant in entrants:
        entrant.install()
    todo = [(e, Run(args.output, s, e.name, settings, n)) for s in args.scenarios.split(",") for n in range(1, args.runs + 1)
            for e in entrants for settings in args.settings.split(",")]
    todo = [(e, r) for e, r in todo if not r.done()]
    for at, (entrant, run) in enumerate(todo, 1):
        if run.done():
            continue  # another league.py, on other ports, has been here
        said(f"{at} of {len(todo)}")
        attempt(run, lambda: one_run(entrant, run, args.ports), args.tries)


def run_presets(args):
    """Every SPEC that an entrant names as its nearest, and the lab's own best."""
    rows = [kit.Entrant(name).row for name in kit.names()]
    specs = sorted({row[settings]["nearest"] for row in rows for settings in kit.SETTINGS} | {"best"})
    for scenario in args.scenarios.split(","):
        spec = SCENARIOS[scenario]
        flags = ["--scenario", spec.get("preset_file", spec["file"]), *spec.get("preset_flags", spec["flags"]), *spec["presets"]]
        for number in range(1, args.runs + 1):
            for name in specs:
                run = Run(args.output, scenario, name, "preset", number)
                if not run.done():
                    lab = " ".join(spec["presets"])
                    attempt(run, lambda: run.keep(of_json(run, run.loadgen([*flags, "--strategy", name])), {"version": lab, "nearest": name})["valid"],
                            args.tries)


def rows_of(out):
    rows = [json.loads(p.read_text()) for p in sorted((pathlib.Path(out) / "rows").glob("*.json"))]
    order = list(SCENARIOS)
    return sorted(rows, key=lambda r: (order.index(r["scenario"]), r["settings"] == "preset", r["who"], r["settings"] != "defaults", r["run"]))


def number(value, digits=1):
    return "–" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def agree(group):
    """Two runs agree where the reads of an expiry (of the run, where there is none) differ by at most a tenth or a half, and the
    shares of failures by at most a tenth or one per cent."""
    if len(group) < 2:
        return "one run"
    what = "per_expiry" if all(r["per_expiry"] is not None for r in group) and group[0]["scenario"] in STEADY else "reads"

    def near(column, least):
        values = [r[column] for r in group]
        return max(values) - min(values) <= max(least, 0.1 * max(values))

    return "yes" if near(what, 0.5 if what == "per_expiry" else 5) and near("failed", 1) else "no"


# Of each kind of scenario: the columns of an entrant, and of its nearest preset. A header, the row's field, and its digits.
STEADY = ("hotkey", "hotkey-open")
MEASURED = [("origin reads", "reads", 0), ("max /s", "max_per_second", 0), ("p99 ms", "p99_ms", 0), ("waited %", "waited", 1),
            ("stale %", "stale", 1), ("failed %", "failed", 1)]
PER_EXPIRY = ("reads/expiry", "per_expiry", 1)
ANSWERED = ("requests", "requests", 0)  # of a closed loop: fifty clients that hang ask for nothing more
KINDS = ("failures", "error_kinds", 0)
NEAREST = [("its reads", "reads", 0), ("its max /s", "max_per_second", 0), ("its p99 ms", "p99_ms", 0), ("its failed %", "failed", 1)]


def columns(scenario):
    """What is shown of an entrant, and of its nearest preset."""
    if scenario in STEADY:
        return [MEASURED[0], PER_EXPIRY, *MEASURED[1:]], [PER_EXPIRY, ("by theory", "predicted", 1), *NEAREST[1:3]]
    if scenario in ("cache-lost", "origin-fails"):
        return [ANSWERED, *MEASURED, KINDS], [ANSWERED, *NEAREST]
    return MEASURED, NEAREST[:3]


def cells(group, shown):
    """What each run had, or one figure where all had the same."""
    def one(row, field, digits):
        value = row.get(field)
        if field == "waited":
            value = row["wait"] + row["load"]
        if field in ("waited", "stale") and row["unknown"] > 50:
            value = None
        return (value or "{}").strip("{}") if field == "error_kinds" else number(value, digits)

    texts = [[one(row, field, digits) for row in group] for _, field, digits in shown]
    return [" / ".join(t if len(set(t)) > 1 else t[:1]) for t in texts] if group else ["–"] * len(shown)


def table(rows, scenario):
    """Header and lines of one scenario, of valid runs alone: the entrants, then the presets."""
    groups = {}
    for row in rows:
        if row["scenario"] == scenario and row["valid"]:
            groups.setdefault((row["who"], row["settings"]), []).append(row)
    entrants = {name: kit.Entrant(name).row for name in kit.names()}
    own, preset = columns(scenario)
    head = ["entrant", "settings", *(h for h, _, _ in own), "runs agree", "nearest preset", *(h for h, _, _ in preset)]
    lines = []
    for (who, settings), group in groups.items():
        if settings == "preset":
            lines.append([f"`{who}`", settings, *cells(group, own), agree(group), "", *[""] * len(preset)])
        elif who in entrants:
            nearest = entrants[who][settings]["nearest"]
            beside = cells(groups.get((nearest, "preset"), []), preset)
            lines.append([who, settings, *cells(group, own), agree(group), f"`{nearest}`", *beside])
    return head, lines


def tables(args):
    rows = rows_of(args.output)
    if not rows:
        raise kit.Problem(f"no run in {args.output} · found nothing, needed what league.py run and presets leave there · run them first")
    at = kit.HERE if args.publish else pathlib.Path(args.output)
    with open(at / "league.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    text, page = [], []
    for scenario in SCENARIOS:
        head, lines = table(rows, scenario)
        if lines:
            text += [f"### {scenario}", "", "| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
            text += ["| " + " | ".join(line) + " |" for line in lines] + [""]
            row = lambda tag, words: "<tr>" + "".join(f"<{tag}>{html.escape(w)}</{tag}>" for w in words) + "</tr>"
            page += [f"<h2>{scenario}</h2><table>", row("th", head), *[row("td", line) for line in lines], "</table>"]
    missing = {(r["scenario"], r["who"], r["settings"], r["run"]): r["why"] for r in rows if not r["valid"]}
    if missing:
        text += ["Without a valid run, and so left out: " + "; ".join(f"{s} {w} {t} run {n} ({why})" for (s, w, t, n), why in missing.items()) + ".", ""]
    versions = sorted({r["version"] for r in rows if r["settings"] != "preset"})
    text += ["Versions: " + "; ".join(versions) + ".", ""]
    style = "body{font:15px system-ui;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}"
    (pathlib.Path(args.output) / "league.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>The league</title><style>{style}</style><h1>The league</h1>" + "\n".join(page))
    print("\n".join(text))
    if not args.publish:
        return
    document = ROOT / "docs/league.md"
    begin, end = "<!-- tables: entrants/league.py tables -->\n", "<!-- end of tables -->\n"
    if document.exists() and begin in document.read_text():
        before, _, rest = document.read_text().partition(begin)
        document.write_text(before + begin + "\n" + "\n".join(text) + "\n" + end + rest.partition(end)[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "presets", "tables"])
    parser.add_argument("--entrants")
    parser.add_argument("--settings", default=",".join(kit.SETTINGS))
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--tries", type=int, default=2, help="how often an invalid run is tried")
    parser.add_argument("--ports", default="292", help="the first digits of six ports")
    parser.add_argument("-o", "--output", default=str(ROOT / "results/league"))
    parser.add_argument("--publish", action="store_true", help="tables: write docs/league.md and entrants/league.csv anew")
    args = parser.parse_args()
    for program in () if args.what == "tables" else (LOADGEN, ORIGIN):
        if not os.access(program, os.X_OK):
            raise kit.Problem(f"{program} · found no such program, needed it · cargo build --release -p app -p loadgen")
    {"run": run_entrants, "presets": run_presets, "tables": tables}[args.what](args)


if __name__ == "__main__":
    try:
        main()
    except kit.Problem as problem:
        sys.exit(f"error: {problem}")
