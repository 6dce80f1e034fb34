#!/bin/sh
# Builds the programs that kill a command with all its children at a chosen call, or keep their memory, tests/killer, in
# the current folder.
set -eu

CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/killer/Cargo.toml"
cp target/debug/killer target/debug/keeper .
rm -rf target
