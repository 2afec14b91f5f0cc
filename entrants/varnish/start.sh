#!/usr/bin/env bash
# One Varnish, as one replica: its own cache in memory, no Redis. The variables of the contract are written into default.vcl.
set -euo pipefail
PATH=$PATH:/usr/sbin
version=$(varnishd -V 2>&1 | sed -n '1s/.*(\(varnish-[0-9.]*\).*/\1/p')
grace=''
[ "${SETTINGS:-defaults}" = best ] && grace='set beresp.grace = 30s;'
origin=${ORIGIN_URL#http://}
sed -e "s|@HOST@|${origin%:*}|; s|@PORT@|${origin##*:}|; s|@TTL@|$(awk "BEGIN { print $TTL_MS / 1000 }")|" \
  -e "s|@REPLICA@|$REPLICA|; s|@VERSION@|$version|; s|@GRACE@|$grace|" default.vcl >"$SCRATCH/default.vcl"
exec varnishd -F -j none -n "$SCRATCH/varnish" -s malloc,64m -f "$SCRATCH/default.vcl" -a "$LISTEN"
