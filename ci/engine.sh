#!/usr/bin/env bash
# Brings up a Docker engine and the base images where this workplace has the tools for it, and says (exit code) whether the
# tests of the lab in containers can run. No engine is no failure here: those tests then say that they are skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
tools=${LAB_TOOLS:-../shared/tools}
images=(rust:1.95-slim-bookworm redis:8.0)

works() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }
have() { docker image inspect "$1" >/dev/null 2>&1; }
say() { echo "ci/engine.sh: $*"; }

if ! works && [ "$(id -u)" = 0 ] && [ -x "$tools/docker-engine" ]; then
  say "bringing up an engine"
  timeout 600 "$tools/docker-engine" || say "the tool failed"
fi
works || { say "no Docker engine with Compose"; exit 1; }
for image in "${images[@]}"; do
  have "$image" && continue
  timeout 120 docker pull -q "$image" >/dev/null 2>&1 && continue
  if [ "$(id -u)" = 0 ] && [ -x "$tools/stand-in-images" ]; then
    say "$image cannot be pulled; making stand-ins"
    timeout 1200 "$tools/stand-in-images" || say "the tool failed"
  fi
  have "$image" || { say "no image $image"; exit 1; }
done
say "engine and images are there"
