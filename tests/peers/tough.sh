#!/bin/sh
# Builds tests/peers/tough, which walks roots with the TUF client of that name, in the current folder.
set -eu

CARGO_TARGET_DIR=$PWD/target cargo build --release --quiet --locked --manifest-path "$TOP/tests/peers/tough/Cargo.toml"
cp target/release/tough-walk tough-walk
rm -rf target
