#!/usr/bin/env bash
# The lab's own cost, beside that of well-known tools, in turns so that a busy machine disturbs all of them alike.
#
#   ci/measure.sh generator   loadgen's processor time a request beside wrk's and oha's, against nginx returning a constant
#   ci/measure.sh hit-path    one replica (swr, real Redis) driven by wrk, beside the same router's /healthz
#
# Needs nginx, wrk and oha (cargo install oha --locked), or redis-server and wrk. Everything on loopback; what it starts, it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-5}
scratch=$(mktemp -d)
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$scratch"
}
trap finish EXIT
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "measure.sh: $tool is not installed" >&2; exit 2; }
    done
}
up() { # waits until a URL answers
    for _ in $(seq 200); do
        curl -fs -o /dev/null --max-time 1 "$1" && return
        sleep 0.05
    done
    echo "measure.sh: $1 does not answer" >&2
    exit 1
}
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# Processor seconds (user and system) of a command, on the last line of what it prints.
cpu() { python3 - "$@" <<'PY'
import resource, subprocess, sys
out = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(out.stdout)
print(used.ru_utime + used.ru_stime)
PY
}

generator() {
    need nginx wrk oha python3 curl
    cargo build --quiet --release --locked -p loadgen
    local at
    at=$(port)
    cat >"$scratch/nginx.conf" <<CONF
daemon off; pid $scratch/nginx.pid; error_log $scratch/error.log; worker_processes 1;
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000000; client_body_temp_path $scratch/b; proxy_temp_path $scratch/p;
    fastcgi_temp_path $scratch/f; uwsgi_temp_path $scratch/u; scgi_temp_path $scratch/s;
    server { listen 127.0.0.1:$at; location / { default_type text/plain; return 200 "hello\n"; } }
}
CONF
    nginx -c "$scratch/nginx.conf" -p "$scratch" 2>/dev/null &
    started+=($!)
    up "http://127.0.0.1:$at/"
    for round in $(seq "$rounds"); do
        wrk=$(cpu wrk -t1 -c50 -d"$seconds" "http://127.0.0.1:$at/1" | awk '/requests in/ { n = $1 } END { print $1 / n * 1e6 }')
        oha=$(cpu oha --no-tui --output-format json -c 50 -z "${seconds}s" "http://127.0.0.1:$at/1" | python3 -c '
import json, sys
text, used = sys.stdin.read().rsplit("\n", 2)[0:2]
print(float(used) / sum(json.loads(text)["statusCodeDistribution"].values()) * 1e6)')
        own=$(target/release/loadgen selftest --format json -d "${seconds}s" --target "http://127.0.0.1:$at/{key}" |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["closed"]["cpu_us_per_request"])')
        printf 'round %s: wrk %.2f  oha %.2f  loadgen %.2f  (µs of processor time a request)\n' "$round" "$wrk" "$oha" "$own"
        echo "$wrk" >>"$scratch/wrk"; echo "$oha" >>"$scratch/oha"; echo "$own" >>"$scratch/own"
        awk -v a="$own" -v b="$wrk" 'BEGIN { print a / b }' >>"$scratch/to-wrk"
        awk -v a="$own" -v b="$oha" 'BEGIN { print a / b }' >>"$scratch/to-oha"
    done
    printf 'median:  wrk %.2f  oha %.2f  loadgen %.2f; loadgen is %.2f × wrk and %.2f × oha (medians of the rounds)\n' \
        "$(median <"$scratch/wrk")" "$(median <"$scratch/oha")" "$(median <"$scratch/own")" \
        "$(median <"$scratch/to-wrk")" "$(median <"$scratch/to-oha")"
}

hit_path() {
    need redis-server wrk curl python3
    cargo build --quiet --release --locked -p app --bins
    local redis origin origin_control replica replica_control token
    redis=$(port) origin=$(port) origin_control=$(port) replica=$(port) replica_control=$(port)
    token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    echo "$token" >"$scratch/token"
    redis-server --port "$redis" --bind 127.0.0.1 --save '' --appendonly no --dir "$scratch" >/dev/null &
    started+=($!)
    target/release/origin --listen "127.0.0.1:$origin" --control "127.0.0.1:$origin_control" --token-file "$scratch/token" \
        --database "$scratch/origin.sqlite" &
    started+=($!)
    target/release/app --listen "127.0.0.1:$replica" --control "127.0.0.1:$replica_control" --token-file "$scratch/token" \
        --redis "redis://127.0.0.1:$redis" --origin "http://127.0.0.1:$origin" &
    started+=($!)
    up "http://127.0.0.1:$origin/healthz"
    up "http://127.0.0.1:$replica/healthz"
    post() { curl -fsS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "$2" "$1"; }
    post "http://127.0.0.1:$origin_control/start" '{"items":10,"value_bytes":256,"concurrency":64,"queue":1024,"seed":42,
        "service_time":{"law":"constant","ns":200000000},"write_every_ns":null}'
    post "http://127.0.0.1:$replica_control/start" '{"namespace":"measure:swr","strategy":"swr","ttl_ns":5000000000,"seed":42}'
    rate() { wrk -t1 -c50 -d"$seconds" "http://127.0.0.1:$replica/$1" | awk '/Requests\/sec/ { print $2 }'; }
    for round in $(seq "$rounds"); do
        health=$(rate healthz) hit=$(rate items/1)
        printf 'round %s: /healthz %s  /items/1 %s  (requests a second)\n' "$round" "$health" "$hit"
        awk -v a="$hit" -v b="$health" 'BEGIN { print a / b }' >>"$scratch/ratio"
    done
    printf 'median:  a hit is answered at %.2f of the rate of /healthz\n' "$(median <"$scratch/ratio")"
}

case "${1-}" in
generator) generator ;;
hit-path) hit_path ;;
*) sed -n '2,8p' "$0"; exit 2 ;;
esac
