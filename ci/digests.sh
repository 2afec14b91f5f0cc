#!/usr/bin/env bash
# The images that compose.yaml names, by digest, as their registry has them today: lines for `.env`, which Compose reads. Needs
# Docker and a registry that can be asked; an image that cannot be pinned is named with the reason, and nothing is printed.
# LAB_REGISTRY, a registry's host (and port, and path), is asked and pinned in the place of the images' own.
#
#   bash ci/digests.sh >.env        pins the images; delete the file to follow the tags again
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "ci/digests.sh: $*: not pinned" >&2; exit 1; }

docker version >/dev/null 2>&1 || fail "no Docker engine answers, so the registry cannot be asked"
pinned=
while IFS='=' read -r name image; do
  image=${LAB_REGISTRY:+$LAB_REGISTRY/}$image
  if ! said=$(docker pull "$image" 2>&1); then
    case $said in
      *"not found"* | *"manifest unknown"* | *denied*) fail "the registry does not give out $image (${said##*$'\n'})" ;;
      *) fail "the registry of $image cannot be asked (${said##*$'\n'})" ;;
    esac
  fi
  digest=$(sed -n 's/^Digest: //p' <<<"$said")
  [ -n "$digest" ] || fail "the registry told no digest of $image"
  pinned+="$name=$image@$digest"$'\n'
done < <(grep -o '\${LAB_[A-Z]*_IMAGE:-[^}]*}' compose.yaml | sed 's/^\${//; s/:-/=/; s/}$//' | sort -u)
printf '%s' "$pinned"
