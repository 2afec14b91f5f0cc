#!/usr/bin/env bash
# Predictions on settings that nobody chose: a thousand random scenarios (or as many as are named) × all layers in the sim lab, every
# printed prediction held to what was measured. Some minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

THEORY_SETTINGS=${1:-1000} THEORY_SEED=${2:-1} cargo test --release --locked -p loadgen --test it theory:: -- --nocapture
