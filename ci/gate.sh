#!/usr/bin/env bash
# Every shipped scenario in virtual time against its committed baseline: one changed figure is a failure. With the word
# `promote`, makes the baselines instead; the difference is for the commit, with its reason. In a GitHub workflow the runs'
# summaries and verdicts are on the job's page.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -n "${LOADGEN:-}" ] || cargo build --release --locked -p loadgen
loadgen=${LOADGEN:-target/release/loadgen}
scratch=$(mktemp -d)
page=${GITHUB_STEP_SUMMARY:-/dev/null}
finish() {
  # The verdicts first: the first question is which of them it was.
  { printf '# Gate\n\n```\n'; cat "$scratch/verdicts"; printf '```\n\n'; cat "$scratch/summaries"; } >>"$page"
  rm -rf "$scratch"
}
touch "$scratch/verdicts" "$scratch/summaries"
trap finish EXIT

scenarios=$(basename -s .toml scenarios/files/*.toml)
# A simulation is one thread's work.
xargs -P "$(nproc)" -I NAME "$loadgen" --scenario NAME --lab sim --quiet -o "$scratch/NAME" <<<"$scenarios" >/dev/null
ended=0
for scenario in $scenarios; do
  "$loadgen" "${1:-gate}" "$scratch/$scenario"/* | tee -a "$scratch/verdicts" || ended=$?
  cat "$scratch/$scenario"/*/summary.md >>"$scratch/summaries"
done
exit "$ended"
