#!/usr/bin/env bash
# The action's loadgen: that of a release where the action is used by a version's tag, with its checksum, else built of the action's own
# checkout.
set -euo pipefail
at=$(mktemp -d "${RUNNER_TEMP:?}/loadgen-XXXXXX")
name=loadgen-$(uname -m)-linux

released() {
  [[ ${REF:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || return 1
  for file in "$name.tar.gz" "$name.tar.gz.sha256"; do
    curl -fsSL --retry 3 --max-time 300 -o "$at/$file" "${GITHUB_SERVER_URL:?}/${REPOSITORY:?}/releases/download/$REF/$file" || return 1
  done
}

if released; then
  (cd "$at" && sha256sum -c "$name.tar.gz.sha256")
  tar -xzf "$at/$name.tar.gz" -C "$at"
  program=$at/$name/loadgen
else
  echo "no release for ${REF:-this checkout}: built from source"
  cargo install --path "${GITHUB_ACTION_PATH:?}/loadgen" --locked --root "$at"
  program=$at/bin/loadgen
fi
"$program" --version
echo "loadgen=$program" >>"${GITHUB_OUTPUT:?}"
