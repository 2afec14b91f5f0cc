#!/usr/bin/env bash
# The lab in containers, as its user gets it: the stack is built and brought up, a short hotkey driven through it, a replica
# killed and the cache stopped, and all of it taken down again, whatever happened, with nothing left behind. Needs a build of
# loadgen: LOADGEN, or the release build. Where there is no engine it says so and is content, unless LAB_REQUIRE has `docker`.
set -euo pipefail
cd "$(dirname "$0")/.."
loadgen=${LOADGEN:-target/release/loadgen}
say() { echo "ci/containers.sh: $*"; }

if ! bash ci/engine.sh; then
  case "${LAB_REQUIRE:-}" in *docker*) say "LAB_REQUIRE has docker, and there is none" >&2; exit 1 ;; esac
  say "SKIPPED: the lab in containers was not tried"
  exit 0
fi

# A stack of its own, beside whatever else runs here.
export COMPOSE_PROJECT_NAME=stampede-ci LAB_IMAGE=stampede-lab:ci LAB_APP_PORTS=28081-28099 LAB_APP_CONTROL_PORTS=28181-28199
export LAB_PROXY_CONTROL_PORT=28200 LAB_ORIGIN_CONTROL_PORT=28201
scratch=$(mktemp -d)

left_behind() {
  local label=label=com.docker.compose.project=$COMPOSE_PROJECT_NAME
  docker ps -aq --filter "$label"
  docker network ls -q --filter "$label"
  docker volume ls -q --filter "$label"
}

down() {
  local ended=$? left
  trap - EXIT
  [ "$ended" = 0 ] || { docker compose ps -a || true; docker compose --ansi never logs --tail 20 || true; } >&2
  docker compose down -v --remove-orphans --timeout 2 >/dev/null 2>&1 || true
  rm -rf "$scratch"
  left=$(left_behind)
  [ -z "$left" ] || { say "left behind: $left" >&2; ended=1; }
  [ "$ended" != 0 ] || say "all well, and nothing is left behind"
  exit "$ended"
}
trap down EXIT
trap 'exit 130' INT TERM

timeout 1200 docker compose build --quiet
began=$SECONDS
timeout 120 docker compose up -d --wait --quiet-pull >"$scratch/up.log" 2>&1 || { cat "$scratch/up.log" >&2; exit 1; }
say "the stack was up after $((SECONDS - began)) s"

# An invalid run ends with 4 (ledgers that disagree, an event without effect), a shape that is not the stampede's with 99.
for scenario in ci/smoke.toml ci/faults.toml; do
  timeout 300 "$loadgen" --scenario "$scenario" --lab docker -o "$scratch/results"
done
for run in "$scratch"/results/*/run.json; do
  for fact in '"schema": "stampede.run/v1"' '"complete": true' '"lab": "docker"' '"cache": "redis 8'; do
    grep -q "$fact" "$run" || { say "$run has no $fact" >&2; exit 1; }
  done
  # The invariants, over the events of real replicas and the ledger of a real origin.
  "$loadgen" check "$(dirname "$run")"
done
