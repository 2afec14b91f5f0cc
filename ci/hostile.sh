#!/usr/bin/env bash
# Damaged records against the release build: 20 000 inputs (or as many as are said) × 5 commands, each a process with 2 GiB and 10 s of processor time.
# Nothing may panic, abort, hang or pass on what a terminal obeys. The inputs are those of loadgen/tests/it/hostile.rs, by seed.
set -euo pipefail
cd "$(dirname "$0")/.."
inputs=${1:-20000} first=${2:-1} chunk=500
cargo build --release --locked -q -p loadgen
export HOSTILE_LOADGEN=$PWD/target/release/loadgen
for ((at = first; at < first + inputs; at += chunk)); do
    left=$((first + inputs - at))
    HOSTILE_FIRST=$at HOSTILE_INPUTS=$((left < chunk ? left : chunk)) \
        cargo test --locked -q -p loadgen --test it hostile:: -- --nocapture
done
