#!/usr/bin/env bash
# The images that compose.yaml names, by digest, as their registry has them today: lines for `.env`, which Compose reads. Needs
# Docker and a registry that can be asked; an image that cannot be pulled is named, and nothing is printed.
#
#   bash ci/digests.sh >.env        pins the images; delete the file to follow the tags again
set -euo pipefail
cd "$(dirname "$0")/.."

pinned=
while IFS='=' read -r name image; do
  docker pull -q "$image" >/dev/null || { echo "ci/digests.sh: $image cannot be pulled: not pinned" >&2; exit 1; }
  digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$image")
  pinned+="$name=$image@${digest#*@}"$'\n'
done < <(grep -o '\${LAB_[A-Z]*_IMAGE:-[^}]*}' compose.yaml | sed 's/^\${//; s/:-/=/; s/}$//' | sort -u)
printf '%s' "$pinned"
