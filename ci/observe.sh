#!/usr/bin/env bash
# Asks the stack's Prometheus and Grafana (docker compose --profile observe up -d --wait) what they see: three replicas and
# the origin up, no rule in error, and the dashboard's data source answering. Waits for what takes a scrape; the caller
# limits the time. Needs curl and python3.
set -euo pipefail
prometheus=http://127.0.0.1:${LAB_PROMETHEUS_PORT:-8202} grafana=http://127.0.0.1:${LAB_GRAFANA_PORT:-8203}

# says URL CODE: the JSON there, as d, makes the Python expression true.
says() {
  curl -fsS --max-time 5 "$1" | python3 -c 'import json, sys; d = json.load(sys.stdin); sys.exit(not eval(sys.argv[1]))' "$2"
}
until_so() {
  until says "$@"; do sleep 1; done
  echo "ci/observe.sh: $1: $2"
}

until_so "$prometheus/api/v1/query?query=up" 'sum(s["value"][1] == "1" for s in d["data"]["result"]) >= 4'
until_so "$prometheus/api/v1/rules" 'all(r["health"] == "ok" for g in d["data"]["groups"] for r in g["rules"])'
if [ "${1:-}" != prometheus ]; then
  until_so "$grafana/api/dashboards/uid/stampede" 'len(d["dashboard"]["panels"]) > 10'
  until_so "$grafana/api/datasources/proxy/uid/stampede/api/v1/query?query=up" 'len(d["data"]["result"]) >= 4'
fi
