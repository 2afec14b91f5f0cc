#!/usr/bin/env bash
# The test command: installs what the tests need and is missing, then runs fmt, clippy, docs and all tests.
# What it installs must be there here; under plain `cargo test` the tests that need it say so and skip.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=$PATH:/usr/sbin:/usr/local/sbin # where nginx and varnishd lie, and where not every user looks
have() { command -v "$1" >/dev/null; }
have_chromium() { have chromium || have chromium-browser || have google-chrome; }

missing=()
have redis-server && have redis-cli || missing+=(redis-server)
have_chromium || missing+=(chromium)
have nginx || missing+=(nginx)
have varnishd || missing+=(varnish)
have prometheus && have promtool || missing+=(prometheus)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(faketime)
have pgrep || missing+=(procps)
have openssl || missing+=(openssl)
have xmllint || missing+=(libxml2-utils)
for program in zsh fish mandoc; do have $program || missing+=($program); done
have cc || missing+=(gcc libc6-dev)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "ci/test.sh: installing ${missing[*]}"
    (
      # Debian would start as services what it installs: nobody asked for a web server on port 80.
      policy=/usr/sbin/policy-rc.d
      if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
      fi
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    )
  else
    echo "ci/test.sh: missing: ${missing[*]}. Not root, so not installed: install them with your package manager" >&2
    echo "(no root at all? README, «Tests», says how), or run plain \`cargo test\`, which skips what needs them." >&2
    exit 1
  fi
fi

bash ci/kubernetes.sh
bash ci/junit.sh
require=redis,openssl,chromium,nginx,varnish,prometheus,faketime,kubernetes,junit,zsh,fish,mandoc
if [ -x target/kubernetes/bin/helm ]; then require=$require,helm; fi
# The tests of the lab in containers need an engine and its base images. Here they must run where the caller says so, and
# where an engine runs that has the images or can pull them; `bash ci/engine.sh` brings one up where that is possible.
case "${LAB_REQUIRE:-}" in
  *docker*) bash ci/engine.sh && require=$require,docker || exit 1 ;;
  *) if have docker && docker info >/dev/null 2>&1 && bash ci/engine.sh; then require=$require,docker; fi ;;
esac
export LAB_REQUIRE=$require INSTA_UPDATE=no
echo "ci/test.sh: LAB_REQUIRE=$LAB_REQUIRE"

cargo fmt --all --check
cargo clippy --workspace --all-targets --features loadgen/image --locked -- -D warnings
cargo clippy -p loadgen --no-default-features --locked -- -D warnings # the simulated lab and the studies alone
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
# Many tests wait most of their time. Those that cost the processors more take turns (loadgen/tests/common/turns.rs).
RUST_TEST_THREADS=$((2 * $(nproc))) cargo test --workspace --locked --no-fail-fast
