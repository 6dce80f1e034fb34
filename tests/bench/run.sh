#!/bin/sh
# Measures every figure of docs/performance.md, or those named, each beside its reference in the same run, and prints
# the table. It is left in target/bench/ (--out) as figures.txt, figures.md, figures.json and figures.svg.
#
#   sh tests/bench/run.sh [--fleet REPOSITORIES] [--rounds ROUNDS] [--out FOLDER] [NAME…]
#
# OFFICIANT and COURIER name programs to measure and BENCH the one to measure with, where they and the peers are made
# already; else the peers are prepared and release builds are made. TMPDIR is where all work is done: some gigabytes
# for a fleet of 10,000.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${BENCH:-}" ]; then
    . tests/peers/install.sh
    sh tests/peers/prepare.sh
    need_rust
    target=${CARGO_TARGET_DIR:-$PWD/target}
    cargo build --release --locked --quiet --features online --bin officiant --bin courier
    cargo build --release --locked --quiet --manifest-path tests/bench/Cargo.toml --target-dir "$target"
    BENCH=$target/release/bench
    : "${OFFICIANT:=$target/release/officiant}" "${COURIER:=$target/release/courier}"
fi
WORK=$(mktemp -d)
export OFFICIANT COURIER WORK
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
"$BENCH" suite "$@"
