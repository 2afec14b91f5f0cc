#!/usr/bin/env bash
# The fault table: strategies × fault scenarios, in one lab, as Markdown (and what it is made of, in a results folder).
#
#     bash docs/faults/run.sh sim                                     # every preset, in seconds
#     docker compose up --build -d --wait && bash docs/faults/run.sh docker      # on the real stack: about 4 minutes a strategy
#     bash docs/faults/run.sh docker results/faults naive,singleflight,best cache-outage holder-crash
#
# Arguments: the lab, the results folder, the strategies, and the scenarios if not all eight. What is in the results folder
# already is not run again. LOADGEN names another program than this build's. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/../.."

lab=${1:-sim}
results=${2:-results/faults-$lab}
presets=naive,coalesce,singleflight,swr,xfetch,jitter,ahead,apee-lrm,stack,best
strategies=${3:-$presets,plain + lease}
shift $(($# < 3 ? $# : 3))
scenarios=("$@")
[ "$#" -gt 0 ] || scenarios=(holder-crash holder-paused cache-outage cache-blackhole cache-restart origin-outage origin-brownout replica-restart)

[ -n "${LOADGEN:-}" ] || cargo build --release --locked -p loadgen
loadgen=${LOADGEN:-target/release/loadgen}
valid() { jq -e '.complete and .strategies[0].valid' "$1"/*/run.json >/dev/null 2>&1; }
for scenario in "${scenarios[@]}"; do
  IFS=, read -ra each <<<"$strategies"
  for strategy in "${each[@]}"; do
    folder="$results/$scenario/$strategy"
    # A busy machine makes an invalid run (4), which is tried again twice. A missed threshold (99) is a result.
    for _ in 1 2 3; do
      valid "$folder" && break
      rm -rf "$folder"
      "$loadgen" --scenario "$scenario" --lab "$lab" --strategy "$strategy" --quiet -o "$folder" >/dev/null ||
        case $? in 4 | 99) ;; *) exit 1 ;; esac
    done
  done
done

# Errors are failed and shed requests; a strategy is marked where its numbers may not be believed.
row='.strategies[0] as $s | [
    $s.name + (if $s.valid then "" else " (INVALID)" end),
    $s.errors + $s.outcomes.shed, $s.requests,
    $s.origin.max_per_second, $s.origin.total,
    ($s.recovery.troubled_s | tostring) + " s",
    (if $s.recovery.after_s == null then "not yet" else ($s.recovery.after_s * 10 | round / 10 | tostring) + " s" end),
    $s.outcomes.stale, $s.events.fenced, $s.moved_on
  ] | "| " + (map(tostring) | join(" | ")) + " |"'
for scenario in "${scenarios[@]}"; do
  printf '\n### %s\n\n' "$scenario"
  echo '| strategy | failed, shed | of requests | reads a second, most | reads | in trouble | well after | stale served | fenced puts | moved on |'
  echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
  IFS=, read -ra each <<<"$strategies"
  for strategy in "${each[@]}"; do
    jq -r "$row" "$results/$scenario/$strategy"/*/run.json
  done
done
