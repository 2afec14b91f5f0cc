#!/usr/bin/env bash
# The fuzzer: 20 000 seeds over all presets, compositions that guard, write or count, and all profiles, in which each fault and each rare event happens often enough; the
# seeds that failed once; the canaries, which must fail; and every broken-… strategy and every wrong counter caught within 1000 seeds, five times.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -n "${LOADGEN:-}" ] || cargo build --release --locked -p loadgen
loadgen=${LOADGEN:-target/release/loadgen}
"$loadgen" fuzz --seeds 20000 --floors
"$loadgen" fuzz --profile shards --seeds 5000 # worlds whose cache is a cluster
"$loadgen" fuzz --corpus loadgen/fuzz-corpus.txt
"$loadgen" fuzz --corpus loadgen/fuzz-canaries.txt --must-fail
"$loadgen" fuzz --strategy broken --seeds 1000 --must-fail
