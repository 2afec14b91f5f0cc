#!/usr/bin/env bash
# nginx or Varnish in front of the lab's origin, for the time of one run: starts them on loopback, runs loadgen (or a burst
# of requests) against them, and takes down what it started, whatever way it ends. docs/targets.md says what to expect.
set -euo pipefail

usage() {
  cat >&2 <<'TEXT'
usage: bash docs/targets/try.sh VARIANT [-- LOADGEN FLAGS…]      a run of loadgen, --scenario hotkey unless said otherwise
       bash docs/targets/try.sh VARIANT --burst [SERVICE_MS]     50 requests at once: to a key never seen, to an expired
                                                                 one, and for an item that does not exist

VARIANT       nginx-plain, nginx-lock, nginx-stale, nginx-window, varnish, varnish-grace

environment   LOADGEN, ORIGIN   the programs; target/release/loadgen and target/release/origin unless given
              LAB_PORTS         the first digits of all ports, 80 unless given: 80 means 8081 to 8086, 8090 and 8091
TEXT
  exit 2
}

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

variant=${1:-}
case $variant in
  nginx-plain) port=81 ;;
  nginx-lock) port=82 ;;
  nginx-stale) port=83 ;;
  nginx-window) port=84 ;;
  varnish) port=85 ;;
  varnish-grace) port=86 ;;
  *) usage ;;
esac
shift
burst='' service_ms=200
case ${1:---} in
  --burst)
    burst=yes service_ms=${2:-200}
    [[ $service_ms =~ ^[0-9]+$ ]] || usage
    ;;
  --) [ $# = 0 ] || shift ;;
  *) usage ;;
esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
origin=${ORIGIN:-$root/target/release/origin}
loadgen=${LOADGEN:-$root/target/release/loadgen}
ports=${LAB_PORTS:-80}
target=http://127.0.0.1:$ports$port
control=http://127.0.0.1:${ports}91
case $variant in
  nginx-*) server=nginx version=-v ;;
  *) server=varnishd version=-V ;;
esac

# ---- what must be there --------------------------------------------------------------------------------------------------
PATH=$PATH:/usr/sbin:/usr/local/sbin    # where they lie, and where not every user looks
for need in "$server" curl setsid; do
  command -v "$need" >/dev/null || fail "no $need on the PATH; on Debian or Ubuntu: apt-get install nginx varnish curl"
done
[ -x "$origin" ] || fail "no origin program at $origin; build it: cargo build --release -p app --bin origin"
[ -n "$burst" ] || [ -x "$loadgen" ] || fail "no loadgen at $loadgen; build it: cargo build --release -p loadgen"
for used in "$port" 90 91; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$ports$used") 2>/dev/null; then
    fail "another program listens on 127.0.0.1:$ports$used; choose other ports: LAB_PORTS=181 bash $0 …"
  fi
done

# ---- up, and down again --------------------------------------------------------------------------------------------------
folder=$(mktemp -d "${TMPDIR:-/tmp}/stampede-target.XXXXXX")
pids=()
down() {
  trap - EXIT
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Where there is setpriv, what was started ends with this script even if that is killed.
guard=()
! command -v setpriv >/dev/null || guard=(setpriv --pdeathsig TERM)

# In a session of its own: Ctrl-C is for loadgen, which still needs the origin's ledger then.
up() {
  local log=$1
  shift
  setsid "${guard[@]}" "$@" >"$folder/$log" 2>&1 </dev/null &
  pids+=($!)
}

# Polls until a command succeeds. The program that was started last must live, and there is a limit.
until_up() {
  local log=$1
  shift
  local limit=$((SECONDS + 20))
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null || [ $SECONDS -ge $limit ]; then
      cat "$folder/$log" >&2
      fail "it did not come up: $*"
    fi
    sleep 0.05
  done
}

# curl reads the token from here: on its command line every user of the machine could see it.
chmod 711 "$folder"    # nginx's workers are nobody if its master is root
(
  umask 077
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/token"
  printf 'header = "Authorization: Bearer %s"\n' "$(cat "$folder/token")" >"$folder/curlrc"
)
ask() { curl -fsS -m 10 -K "$folder/curlrc" -H 'Content-Type: application/json' "$@"; }

for file in nginx.conf default.vcl; do
  sed -E "s/\b80([89][0-9])\b/$ports\1/" "$here/$file" >"$folder/$file"
done

up origin.log "$origin" --listen "127.0.0.1:${ports}90" --control "127.0.0.1:${ports}91" \
  --token-file "$folder/token" --database "$folder/origin.sqlite"
until_up origin.log ask "$control/identity"

case $server in
  nginx) up server.log nginx -p "$folder" -c "$folder/nginx.conf" ;;
  varnishd)
    up server.log varnishd -F -j none -n "$folder/varnish" -s malloc,64m -f "$folder/default.vcl" \
      -a "coalesce=127.0.0.1:${ports}85" -a "grace=127.0.0.1:${ports}86"
    ;;
esac
until_up server.log curl -fsS -m 1 "$target/healthz"

# ---- the run -------------------------------------------------------------------------------------------------------------
if [ -z "$burst" ]; then
  scenario=(--scenario hotkey)
  for flag in "$@"; do case $flag in --scenario | --scenario=*) scenario=() ;; esac; done
  echo "try.sh: $variant, $("$server" "$version" 2>&1 | head -n 1)" >&2
  "${guard[@]}" "$loadgen" "${scenario[@]}" --target "$target/items/{key}" \
    --origin-control "$control" --origin-token-file "$folder/token" "$@" &
  run=$!
  trap : INT                           # Ctrl-C reaches loadgen, too: it drains and writes, and then all is taken down
  trap 'kill -TERM "$run"' TERM HUP    # these reach this script alone
  code=0
  while kill -0 "$run" 2>/dev/null; do    # a signal ends `wait`, and not loadgen
    wait "$run" && code=0 || code=$?
  done
  exit "$code"
fi

start="{\"items\":10,\"value_bytes\":256,\"concurrency\":64,\"queue\":1024,\"seed\":42,\"write_every_ns\":null,
  \"service_time\":{\"law\":\"constant\",\"ns\":${service_ms}000000}}"

# 50 requests at once for one item: how many had which time (rounded down to 10 ms) and which Cache-Status.
burst() {
  local item=$1 what=$2 many=()
  ask "$control/start" -d "$start"
  for _ in {1..50}; do many+=(-o /dev/null "$target/items/$item"); done
  curl -s -m 30 --parallel --parallel-immediate --parallel-max 50 \
    -w '%{time_total} %header{cache-status}\n' "${many[@]}" 2>/dev/null >"$folder/burst"
  printf '\n%s\n' "$what: origin reads $(ask "$control/counters" | sed 's/.*"arrived":\([0-9]*\).*/\1/')"
  awk 'NF { ms = int($1 * 100) * 10; $1 = ""; count[ms $0]++ } END { for (c in count) print count[c], c }' \
    "$folder/burst" | sort -k2n | awk '{ n = $1; ms = $2; $1 = $2 = ""; printf "%6d × %5d ms  %s\n", n, ms, $0 }'
}

echo "$variant, the origin takes $service_ms ms"
burst 1 "a key never seen"
sleep 6.1    # the TTL, of which nginx may make nearly six seconds
burst 1 "an expired key"
burst 99 "an item that does not exist"
