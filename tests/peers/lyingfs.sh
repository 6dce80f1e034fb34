#!/bin/sh
# Builds the file system that fails, vanishes and lies, tests/lyingfs, in the current folder.
set -eu

CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/lyingfs/Cargo.toml"
cp target/debug/lyingfs lyingfs
rm -rf target
