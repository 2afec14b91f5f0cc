#!/usr/bin/env bash
# One nginx, as one replica: its own cache on its own disk, no Redis. The variables of the contract are written into nginx.conf.
set -euo pipefail
PATH=$PATH:/usr/sbin
version=$(nginx -v 2>&1 | sed 's/.*: //')
best='#'
[ "${SETTINGS:-defaults}" = best ] && best=''
mkdir -p "$SCRATCH/cache"
[ "$(id -u)" != 0 ] || chown nobody "$SCRATCH/cache"
sed -e "s|@LISTEN@|$LISTEN|; s|@ORIGIN@|${ORIGIN_URL#http://}|; s|@TTL@|$((TTL_MS / 1000))|; s|@REPLICA@|$REPLICA|" \
  -e "s|@VERSION@|$version|; s|@BEST@|$best|" nginx.conf >"$SCRATCH/nginx.conf"
exec nginx -p "$SCRATCH" -c "$SCRATCH/nginx.conf"
