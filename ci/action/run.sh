#!/usr/bin/env bash
# The action's run: what it is asked for comes as variables and never as text of a script; it ends as loadgen ends.
set -euo pipefail
folder=$(mktemp -d "${RUNNER_TEMP:?}/stampede-lab-XXXXXX")
echo "folder=$folder" >>"${GITHUB_OUTPUT:?}"

if [ -z "${SCENARIO:-}" ]; then
  echo "::error::no scenario · input scenario · found nothing · name a shipped scenario or a file of your repository"
  exit 2
fi
args=("--scenario=$SCENARIO" "--output=$folder" --quiet)
if [ -n "${TARGET:-}" ]; then args+=("--target=$TARGET"); else args+=(--lab=sim); fi
if [ -n "${STRATEGY:-}" ]; then args+=("--strategy=$STRATEGY"); fi
while IFS= read -r arg; do
  arg=${arg%$'\r'}
  if [ -n "$arg" ]; then args+=("$arg"); fi
done <<<"${ARGS:-}"

ended=0
"${LOADGEN:?}" "${args[@]}" || ended=$?
for summary in "$folder"/*/summary.md; do
  if [ -f "$summary" ]; then cat "$summary" >>"${GITHUB_STEP_SUMMARY:?}"; fi
done
exit "$ended"
