#!/usr/bin/env bash
# While you write: fmt, clippy, and every test that needs no server, engine or browser and runs no lab in real time.
# The rest is ci/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export LAB_WITHOUT=redis,chromium,nginx,varnish,prometheus,faketime,docker INSTA_UPDATE=no

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo test --workspace --locked --no-fail-fast --lib --test it -q
