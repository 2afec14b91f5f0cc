#!/usr/bin/env bash
# The lab over several machines, as its user gets it: three engines that are a Swarm, the stack on them, its load as a job of three shards;
# then the same once more, and a machine is lost in the middle of it. Needs a tool that makes several engines on one machine
# (LAB_TOOLS/swarm-nodes), root, and a build of loadgen: LOADGEN, or the release build. Where there is none it says so and is content,
# unless LAB_REQUIRE has `swarm`. LAB_SWARM_LOAD is the load's arguments, and LAB_SWARM_CACHE=cluster takes that as the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
loadgen=${LOADGEN:-target/release/loadgen}
nodes=${LAB_TOOLS:-../shared/tools}/swarm-nodes
say() { echo "ci/swarm.sh: $*"; }

if ! [ -x "$nodes" ] || [ "$(id -u)" != 0 ] || ! bash ci/engine.sh; then
  case "${LAB_REQUIRE:-}" in *swarm*) say "LAB_REQUIRE has swarm, and there is none" >&2; exit 1 ;; esac
  say "SKIPPED: no $nodes, no engine, or not root"
  exit 0
fi

export LAB_IMAGE=stampede-lab:ci LAB_BUILD_PROFILE=${LAB_BUILD_PROFILE:-quick}
export LAB_LOAD=${LAB_SWARM_LOAD:---scenario hotkey --strategy naive,singleflight -d 10s -w 5s}
scratch=$(mktemp -d)
export SWARM_NODES_ROOT=$scratch/nodes
files=(-c stack.yaml)
[ "${LAB_SWARM_CACHE:-}" != cluster ] || files+=(-c docker/stack-cluster.yaml)

down() {
  local ended=$?
  trap - EXIT
  if [ "$ended" != 0 ] && [ -n "${manager:-}" ]; then
    on "$manager" stack ps --no-trunc lab || true
    for service in app origin load; do on "$manager" service logs --raw --tail 20 "lab_$service" || true; done
  fi >&2
  "$nodes" down || true
  rm -rf "$scratch"
  [ "$ended" != 0 ] || say "all well"
  exit "$ended"
}
trap down EXIT
trap 'exit 130' INT TERM
on() { local socket=$1; shift; docker -H "unix://$socket" "$@"; }

timeout 1800 docker compose build --quiet load
mapfile -t sockets < <("$nodes" up 3 "$LAB_IMAGE" redis:8.0 2>"$scratch/nodes.log") || true
if [ ${#sockets[@]} != 3 ]; then
  tail -n 5 "$scratch/nodes.log" >&2
  case "${LAB_REQUIRE:-}" in *swarm*) say "LAB_REQUIRE has swarm, and three engines can't be had" >&2; exit 1 ;; esac
  say "SKIPPED: three engines can't be had here"
  exit 0
fi
manager=${sockets[0]}

# The secrets, made once, as docs/machines.md says.
docker run --name "lab-secrets-$$" "$LAB_IMAGE" lab secrets /secrets
docker cp -q "lab-secrets-$$:/secrets" "$scratch/secrets"
docker rm "lab-secrets-$$" >/dev/null
for of in control-token:control/token replica-password:replica/password injector-password:injector/password \
  cache-users:cache/users.acl cache-peer:cache/peer.conf; do
  on "$manager" secret create "${of%%:*}" "$scratch/secrets/${of#*:}" >/dev/null
done

# Waits until every task of a job's Nth run is complete; those of the runs before stay in the list.
completed() {
  local states
  for _ in $(seq 600); do
    states=$(on "$manager" service ps "$1" --format '{{.CurrentState}}')
    ! grep -qE '^(Failed|Rejected)' <<<"$states" || break
    [ "$(grep -c '^Complete' <<<"$states")" -lt $((3 * $2)) ] || return 0
    sleep 0.5
  done
  say "$1 did not end well: $states" >&2
  return 1
}
# A job's newest container on a machine.
task() { on "$1" ps -aq --latest --filter "label=com.docker.swarm.service.name=$2"; }
# What a job's tasks wrote, from the machines that they were on. Their volumes have what older runs wrote, too: the newest is kept.
collect() {
  local socket newest
  mkdir -p "$scratch/$1-all" "$scratch/$1-$2"
  for socket in "${sockets[@]}"; do on "$socket" cp -q "$(task "$socket" "$1"):/results/." "$scratch/$1-all"; done
  newest=$(ls "$scratch/$1-all" | sed 's/-shard-.*//' | sort | tail -n 1)
  [ "$1" = sweep ] && newest= # its parts have names of their own
  mv "$scratch/$1-all/$newest"* "$scratch/$1-$2"
}

on "$manager" stack deploy --detach=true "${files[@]}" lab >/dev/null
# A machine that is busy with something else makes a run invalid: three tries.
for try in 1 2 3; do
  began=$SECONDS
  completed lab_load "$try"
  say "the load was over after $((SECONDS - began)) s"
  collect lab_load "$try"
  # Thresholds are those of the whole scenario, which this shortens: 99 where one is missed.
  code=0
  "$loadgen" merge "$scratch/lab_load-$try" -o "$scratch/results-$try" || code=$?
  [ "$code" = 4 ] && [ "$try" != 3 ] || break
  on "$manager" service update --force --detach lab_load >/dev/null
done
[ "$code" = 0 ] || [ "$code" = 99 ] || { say "the merged run ended with $code" >&2; exit 1; }
run=$(echo "$scratch/results-$try"/*/run.json)
for fact in '"schema": "stampede.run/v1"' '"complete": true' '"lab": "stack"' '"shards": 3' '"start_spread_ms"'; do
  grep -q "$fact" "$run" || { say "$run has no $fact" >&2; exit 1; }
done
"$loadgen" check "$(dirname "$run")"
[ -z "${LAB_SWARM_KEEP:-}" ] || cp -r "$(dirname "$run")" "$LAB_SWARM_KEEP"

# A sweep, as a job over its points.
on "$manager" service create -q --detach --mode replicated-job --replicas 3 --restart-condition none --name sweep \
  --env 'LAB_TASK_SLOT={{.Task.Slot}}' --mount type=volume,source=sweep,target=/results "$LAB_IMAGE" \
  loadgen sweep --scenario hotkey -d 4s -w 1s --strategy xfetch --vary cache.ttl=1s,2s,3s --seeds 2 --points /3 --quiet -o /results >/dev/null
completed sweep 1
collect sweep 1
"$loadgen" merge "$scratch/sweep-1" -o "$scratch/sweep"

# Once more, and the third machine is cut off while the load goes on.
before=$(for socket in "${sockets[@]}"; do task "$socket" lab_load; done)
on "$manager" service update --force --detach lab_load >/dev/null
for _ in $(seq 240); do
  now=$(for socket in "${sockets[@]}"; do on "$socket" ps -q --filter label=com.docker.swarm.service.name=lab_load; done)
  [ "$(wc -w <<<"$now")" -lt 3 ] || [ "$now" = "$before" ] || break
  sleep 0.5
done
sleep 8 # into the first strategy's load, which takes 15 s
# Swarm starts what failed again, so the containers are those of now.
left=("$(task "${sockets[0]}" lab_load)" "$(task "${sockets[1]}" lab_load)")
ip link set swv3 down
for at in 0 1; do
  code=$(timeout 180 docker -H "unix://${sockets[$at]}" wait "${left[$at]}")
  said=$(on "${sockets[$at]}" logs "${left[$at]}" 2>&1 | tail -n 1)
  [ "$code" = 4 ] && grep -q 'shards of the run were lost' <<<"$said" || { say "a shard that was left ended with $code: $said" >&2; exit 1; }
done
say "a machine was lost, and the shards that were left ended with 4: $said"
