#!/bin/sh
# Builds the program that kills a command with all its children at a chosen call, tests/killer, in the current folder.
set -eu

CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/killer/Cargo.toml"
cp target/debug/killer killer
rm -rf target
