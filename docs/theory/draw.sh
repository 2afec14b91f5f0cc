#!/usr/bin/env bash
# Draws the charts of docs/theory.md again: the same commands as on that page, the same seeds, the same pictures.
set -euo pipefail
cd "$(dirname "$0")/../.."
loadgen=${LOADGEN:-target/release/loadgen}
[ -x "$loadgen" ] || cargo build --release --locked -p loadgen
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
keep() { cp "$scratch/$1"/*/charts/"$2".png "docs/theory/$1.png"; }

"$loadgen" --lab sim --scenario hotkey-open --strategy naive,coalesce,singleflight --quiet -o "$scratch/herd"
keep herd herd
"$loadgen" sweep --scenario hotkey-open --strategy singleflight --vary lock.poll=2ms,5ms,10ms,20ms,50ms,100ms,200ms --seeds 10 \
    --goal 'min cache_ops_per_request' --quiet -o "$scratch/polling"
keep polling curves
"$loadgen" sweep --scenario hotkey-open --strategy 'xfetch + bare' --vary xfetch.beta=0.5..3:0.25 --seeds 10 -d 10m \
    --set cache.ttl=20s --goal 'min origin.per_expiry.mean' --quiet -o "$scratch/beta"
keep beta curves
"$loadgen" --lab sim --scenario bulk-warm --strategy 'naive,jitter(0.2),jitter(1.0)' --quiet -o "$scratch/hill"
keep hill comparison
