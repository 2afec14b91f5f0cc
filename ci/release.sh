#!/usr/bin/env bash
# One program for this machine's processor, without a library, with its licences, completions and manual pages, and a checksum: into DIR.
# Linked with glibc's own static archive, as the image is (Dockerfile): one way to a static program, and the one that is tested.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?usage: ci/release.sh DIR}
host=$(rustc -vV | sed -n 's/^host: //p')
name=loadgen-$(uname -m)-linux

RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$host" -p loadgen --bin loadgen
program=${CARGO_TARGET_DIR:-target}/$host/release/loadgen
needs=$(ldd "$program" 2>/dev/null || true)
if [[ $needs == *'=>'* ]]; then
  echo "ci/release.sh: $program needs libraries, and should need none" >&2
  exit 1
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name/completions" "$out"
cp "$program" LICENSE-MIT LICENSE-APACHE README.md "$stage/$name/"
for shell in bash zsh fish; do "$program" completions $shell >"$stage/$name/completions/loadgen.$shell"; done
"$program" man -o "$stage/$name/man1" >/dev/null
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out/$name.tar.gz" "$name"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
