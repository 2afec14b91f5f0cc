#!/usr/bin/env bash
# Every shipped scenario in virtual time against its committed baseline: one changed figure is a failure. With the word
# `promote`, makes the baselines instead; the difference is for the commit, with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked -p loadgen
loadgen=target/release/loadgen
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ended=0
for file in scenarios/files/*.toml; do
  scenario=$(basename "$file" .toml)
  "$loadgen" --scenario "$scenario" --lab sim --quiet -o "$scratch/$scenario" >/dev/null
  "$loadgen" "${1:-gate}" "$scratch/$scenario"/* || ended=$?
done
exit "$ended"
